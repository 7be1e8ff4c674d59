"""Whatever bytes an upstream sends, its readers give values or a typed error, and chunk borders never matter."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.gateway.decoding import BodyDecoder
from core.gateway.dialects import DIALECTS
from core.gateway.dialects.shape import Piece, load
from core.gateway.errors import BadReplyError, GatewayError, ReplyTooLargeError
from core.gateway.hearing import clean, embedded_error
from core.gateway.redact import Redactor
from core.gateway.retry_after import retry_after_s
from core.gateway.sse import SseEvent, SseParser

LIMIT = 10_000
KEYS = st.sampled_from([
    "choices", "delta", "message", "content", "text", "usage", "prompt_tokens", "completion_tokens", "model", "error",
    "type", "code", "status", "candidates", "parts", "usageMetadata", "promptTokenCount", "candidatesTokenCount",
    "thoughtsTokenCount", "finishReason", "finish_reason", "stop_reason", "content_block", "index", "input_tokens",
    "output_tokens", "cache_read_input_tokens", "promptFeedback", "blockReason", "prompt_tokens_details",
    "cached_tokens", "completion_tokens_details", "reasoning_tokens", "reasoning_content", "data", "models",
    "name", "id",
])  # fmt: skip
WORDS = st.sampled_from([
    "text", "text_delta", "thinking_delta", "content_block_delta", "message_start", "message_delta", "message_stop",
    "ping", "error", "stop", "length", "STOP", "MAX_TOKENS", "SAFETY", "content_filter", "end_turn", "overloaded_error",
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


def events(pieces: list[bytes]) -> list[SseEvent]:
    parser = SseParser(LIMIT)
    found = [event for piece in pieces for event in parser.feed(piece)]
    return [*found, *parser.close()]


def outcome(pieces: list[bytes]) -> list[SseEvent] | type[GatewayError]:
    try:
        return events(pieces)
    except GatewayError as error:
        return type(error)


def cut(whole: bytes, borders: list[int]) -> list[bytes]:
    places = sorted({min(border, len(whole)) for border in borders} | {0, len(whole)})
    return [whole[one:two] for one, two in pairwise(places)]


@given(whole=st.binary(max_size=400), borders=st.lists(st.integers(0, 400), max_size=30))
def test_chunk_borders_never_matter_for_any_bytes(whole: bytes, borders: list[int]) -> None:
    assert outcome(cut(whole, borders)) == outcome([whole])


LINES = st.lists(
    st.sampled_from(
        [b"data: {}", b"data:a\xe2\x80\xa8b", b": ping", b"event: x", b"id: 7", b"data: \xed\x95\x9c", b""]
    ),
    max_size=12,
)  # fmt: skip


@given(lines=LINES, newline=st.sampled_from([b"\n", b"\r", b"\r\n"]), has_bom=st.booleans())
def test_every_line_ending_and_a_byte_order_mark_give_the_same_events(
    lines: list[bytes], newline: bytes, has_bom: bool
) -> None:
    plain = b"\n".join(lines) + b"\n\n"
    whole = (b"\xef\xbb\xbf" if has_bom else b"") + newline.join(lines) + newline * 2

    assert events(cut(whole, list(range(len(whole))))) == events([plain])


def test_a_line_separator_inside_json_is_text() -> None:
    assert events([b'data: {"a": "\xe2\x80\xa8"}\n\n']) == [SseEvent("", '{"a": "\u2028"}')]


@pytest.mark.parametrize(
    "whole", [b"data: " + b"x" * LIMIT, b"x" * (LIMIT + 1), (b"data: " + b"x" * 3_000 + b"\n") * 4]
)
def test_an_event_without_end_is_bounded(whole: bytes) -> None:
    assert outcome([whole]) is ReplyTooLargeError


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"])
def test_an_event_is_given_with_the_last_byte_of_its_blank_line(newline: bytes) -> None:
    parser = SseParser(LIMIT)

    assert list(parser.feed(b"data: a" + newline + newline)) == [SseEvent("", "a")]


@pytest.mark.parametrize("blank", [b"data", b"data:", b"data: ", b"data:  \t", b"data:\ndata:"])
def test_blank_data_is_no_event(blank: bytes) -> None:
    assert events([b"event: x\n" + blank + b"\n\ndata: a\n\n"]) == [SseEvent("", "a")]


@pytest.mark.parametrize("dialect", list(DIALECTS))
@settings(max_examples=150)
@given(data=JSON)
def test_any_json_is_read_or_refused_by_a_typed_error(dialect: str, data: Any) -> None:
    reader = DIALECTS[dialect]
    for read in (reader.read_reply, lambda value: reader.read_event("", json.dumps(value)), reader.read_models):
        try:
            found = read(data)
        except GatewayError:
            continue
        assert isinstance(found, Piece | list)
        if isinstance(found, Piece):
            clean(found.text).encode()
            usage = reader.read_usage(found.usage)
            counts = [] if usage is None else [usage.input_tokens, usage.output_tokens, usage.cached_input_tokens]
            assert all(count is None or count >= 0 for count in counts)


ODD: tuple[Any, ...] = (None, True, -1, 1.5, "", "x", [], {}, [[]], [{}], {"x": []}, [None, "x", {"type": []}])
GOOD: dict[str, list[Any]] = {
    "openai": [
        {"model": "m", "choices": [{"index": 0, "message": {"content": [{"type": "text", "text": "x"}]}}], "error": {}},
        {"choices": [{"index": 0, "delta": {"content": [{"type": "text", "text": "x"}], "reasoning": "x"},
                      "finish_reason": "stop"}], "usage": {"prompt_tokens_details": {"cached_tokens": 1}}},
        {"data": [{"id": "m"}], "error": {"code": "x", "details": [{"reason": "x"}], "message": "x"}},
    ],
    "anthropic": [
        {"type": "message", "model": "m", "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn",
         "usage": {"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 1}}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1}}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
    ],
    "gemini": [
        {"modelVersion": "m", "candidates": [{"content": {"parts": [{"text": [{"type": "text", "text": "x"}],
         "thought": True}]}, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1}},
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 1}},
        {"models": [{"name": "models/m"}]},
    ],
}  # fmt: skip


def spoiled(value: Any) -> list[Any]:
    """The value with each of its parts in turn replaced by each odd one."""
    found = list(ODD)
    if isinstance(value, dict):
        found += [{**value, name: bad} for name, part in value.items() for bad in spoiled(part)]
    elif isinstance(value, list):
        found += [
            [*value[:place], bad, *value[place + 1 :]] for place, part in enumerate(value) for bad in spoiled(part)
        ]
    return found


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_an_answer_with_any_part_spoiled_is_read_or_refused_by_a_typed_error(dialect: str) -> None:
    reader, redactor = DIALECTS[dialect], Redactor([])
    for data in (bad for good in GOOD[dialect.removeprefix("article_")] for bad in spoiled(good)):
        for read in (reader.read_reply, lambda value: reader.read_event("", json.dumps(value)), reader.read_models):
            try:
                found = read(data)
            except GatewayError:
                continue
            if isinstance(found, Piece):
                reader.read_usage(found.usage)
                assert not found.error or isinstance(embedded_error(found.error, redactor), GatewayError)


@pytest.mark.parametrize("dialect", list(DIALECTS))
@given(name=st.text(max_size=30), data=st.text(max_size=200))
def test_any_event_is_read_or_refused_by_a_typed_error(dialect: str, name: str, data: str) -> None:
    try:
        assert isinstance(DIALECTS[dialect].read_event(name, data), Piece)
    except GatewayError:
        return


@pytest.mark.parametrize("dialect", list(DIALECTS))
@given(figure=st.one_of(st.text(max_size=5), st.floats(), st.integers(max_value=-1), st.booleans(), st.none()))
def test_a_figure_that_is_none_is_unknown_and_never_zero(dialect: str, figure: Any) -> None:
    names = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "promptTokenCount",
             "candidatesTokenCount")  # fmt: skip

    assert DIALECTS[dialect].read_usage(dict.fromkeys(names, figure)) is None


@given(raw=st.binary(max_size=300))
def test_any_bytes_are_json_or_a_bad_reply(raw: bytes) -> None:
    try:
        load(raw)
    except BadReplyError:
        return


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 50_000, b"NaN", b"1e999999", b'"\\ud800"', b"9" * 9_999])
def test_json_that_hurts_does_not(raw: bytes) -> None:
    try:
        load(raw)
    except BadReplyError:
        return


@given(count=st.integers(1, 3), size=st.integers(0, 3_000))
def test_every_layer_of_a_packed_body_is_bounded(count: int, size: int) -> None:
    body = b"x" * size
    for _ in range(count):
        body = gzip.compress(body, mtime=0)
    decoder = BodyDecoder(", ".join(["gzip"] * count), 1_000)
    try:
        found = b"".join(decoder.feed(body))
    except ReplyTooLargeError:
        assert size > 1_000
    else:
        assert found == b"x" * size


@given(packing=st.sampled_from(["gzip", "deflate", "br", "zstd", "x", "gzip, gzip", ""]), raw=st.binary(max_size=300))
def test_any_packed_body_is_unpacked_within_its_limit_or_refused(packing: str, raw: bytes) -> None:
    size = 0
    try:
        decoder = BodyDecoder(packing, 1_000)
        for piece in decoder.feed(raw):
            size += len(piece)
        decoder.close()
    except GatewayError:
        pass
    assert size <= 1_000


@given(value=st.text(max_size=40), name=st.sampled_from(["retry-after", "retry-after-ms"]), body=JSON)
def test_any_wait_asked_for_is_a_sensible_number_or_none(value: str, name: str, body: Any) -> None:
    found = retry_after_s({name: value}, body, dt.datetime(2026, 11, 23, tzinfo=dt.UTC))

    assert found is None or 0 <= found < float("inf")
