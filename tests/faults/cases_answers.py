"""The table of answers that only look whole, or only look broken: pings, half usages, odd ends and packings."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

from tests.faults.case import STREAM, WHOLE, Case, Then, case_of
from tests.faults.upstream import GOOD_STREAM, KEY, completion, delta, http, sse, then_hang, until_close

_END = sse(delta("ne"), delta(finish="stop"), "[DONE]")


def _pings() -> Iterator[Case]:
    """Events that say nothing, before and within an answer."""
    for name, ping in {
        "empty data": b"data: \n\n", "no space": b"data:\n\n", "no colon": b"data\n\n", "blank data": b"data:   \n\n",
        "two empty lines": b"data:\ndata:\n\n", "named": b"event: ping\ndata: ok\n\n",
        "named number": b"event: heartbeat\ndata: 17\n\n", "name only": b"event: ping\n\n",
        "cr": b"data: \r\r", "crlf": b"data:\r\n\r\n",
    }.items():  # fmt: skip
        body = until_close(ping + sse(delta("Fi")) + ping + _END)
        yield case_of("ping", name, body, "ok", streamed=STREAM, text="Fine")
        yield case_of("ping", f"{name} alone", until_close(ping * 3), "next", "truncated", "bad_reply", streamed=STREAM)
    unknown = until_close(b"foo: bar\n\n" + GOOD_STREAM)
    yield case_of("ping", "unknown field first", unknown, "ok", streamed=STREAM)
    words = until_close(b"event: error\ndata: it broke\n\n")
    yield case_of("ping", "error in words is none", words, "next", "upstream_error", streamed=STREAM)
    broken = until_close(sse(delta("Half")) + b"event: message\ndata: {nonsense\n\n" + _END)
    yield case_of("ping", "message is none", broken, "partial", "bad_reply", streamed=STREAM, text="Half")


def _ends() -> Iterator[Case]:
    """Reasons to stop that are not the end of an answer."""
    for reason in ("error", "abort", "insufficient_system_resource"):
        body = until_close(sse(delta("Half"), delta(finish=reason), "[DONE]"))
        yield case_of("end", f"{reason} streamed", body, "partial", "upstream_error", streamed=STREAM, text="Half")
    choice = {"message": {"content": "Half"}, "finish_reason": "error", "error": {"code": 502, "message": "died"}}
    yield case_of("end", "error whole", http(200, {"choices": [choice]}), "next", "upstream_error", streamed=WHOLE)
    inside = until_close(sse(delta("Half"), {"choices": [{"delta": {}, "error": {"code": 429, "message": "slow"}}]}))
    yield case_of("end", "error in the choice", inside, "partial", "rate_limited", streamed=STREAM, text="Half")
    for reason in ("MALFORMED_FUNCTION_CALL", "OTHER", "UNEXPECTED_TOOL_CALL", "SOMETHING_NEW"):
        part: dict[str, Any] = {"candidates": [{"content": {"parts": [{"text": "Half"}]}}]}
        end = {"candidates": [{"finishReason": reason}]}
        more: dict[str, Any] = {"dialect": "gemini", "text": "Half"}
        streamed = until_close(sse(part, end))
        yield case_of("end", f"gemini {reason}", streamed, "partial", "upstream_error", streamed=STREAM, **more)
        whole = http(200, {"candidates": [part["candidates"][0] | end["candidates"][0]]})
        yield case_of(
            "end", f"gemini {reason} whole", whole, "next", "upstream_error", streamed=WHOLE, dialect="gemini"
        )
    alone = until_close(sse(delta("Fine"), delta(finish="stop"), newline="\r"))
    yield case_of("end", "cr only", alone, "ok", streamed=STREAM, text="Fine")
    silent = then_hang(until_close(sse(delta("Fine"), "[DONE]", newline="\r")))
    yield case_of("end", "cr only and then silence", silent, "ok", streamed=STREAM, text="Fine")
    yield case_of("end", "list of one answer", http(200, [completion("Fine")]), "next", "bad_reply")
    limited = http(200, [{"error": {"code": 429, "message": "x"}}])
    yield case_of("end", "list of one error", limited, "next", "rate_limited")


def _texts() -> Iterator[Case]:
    """Borders of events inside of what belongs together, and answers nobody asked for."""

    def case(name: str, *events: dict[str, Any] | str, **more: Any) -> Case:
        return case_of("text", name, until_close(sse(*events, "[DONE]")), "ok", streamed=STREAM, **more)

    def thinking(text: str) -> dict[str, Any]:
        return {"choices": [{"delta": {"reasoning_content": text}}]}

    first, second = json.dumps(delta("A\ud83d")), json.dumps(delta("\ude00B", "stop"))
    yield case("surrogate pair in two events", first, second, text="A\U0001f600B")
    lone = json.dumps(delta("A\ud83d")), json.dumps(delta("B", "stop"))
    yield case("half a pair in two events", *lone, text="A\ufffdB")
    yield case("half a pair at the end", first, delta(finish="stop"), text="A\ufffd")
    hidden = "key [key hidden] x"
    split = thinking(f"key {KEY[:12]}"), thinking(f"{KEY[12:]} x")
    yield case("key in two thoughts", *split, delta("Fine", "stop"), text="Fine", reasoning=hidden)
    begun = thinking(f"key {KEY[:5]}")
    yield case("thought that ends like a key", begun, delta("Fine", "stop"), text="Fine", reasoning=f"key {KEY[:5]}")
    yield from _held_texts()
    yield from _spoiled_parts()
    other = {"choices": [{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": "Fine"}}]}
    yield case("second answer first", other, delta(finish="stop"), text="Fine")
    mixed = {"choices": [{"index": 1, "delta": {"content": "B"}, "finish_reason": "stop"}]}
    yield case("second answer apart", delta("Fi"), mixed, delta("ne", "stop"), text="Fine")
    choices = [{"index": 1, "message": {"content": "B"}}, {"index": 0, "message": {"content": "Fine"}}]
    yield case_of("text", "second answer whole", http(200, {"choices": choices}), "ok", streamed=WHOLE, text="Fine")
    digits = json.dumps(completion("Fine"))[:-1] + f', "created": {"9" * 5_000}}}'
    yield case_of("text", "number of 5000 digits", http(200, digits), "ok", text="Fine")


def _held_texts() -> Iterator[Case]:
    """Its end may be the beginning of a key, so it waits for more; it is shown whatever comes instead."""
    text = "It costs 5 dollars"
    begun = until_close(sse(delta(text)))
    error = sse({"error": {"message": "x", "type": "overloaded_error"}})
    thought = sse({"choices": [{"delta": {"reasoning_content": f"key {KEY[:5]}"}}]})
    more: dict[str, Any] = {"streamed": STREAM, "text": text}
    yield case_of("text", "end like a key, cut", begun, "partial", "truncated", **more)
    yield case_of("text", "end like a key, silence", then_hang(begun), "partial", "idle_timeout", **more)
    yield case_of("text", "end like a key, error", begun + error, "partial", "overloaded", **more)
    yield case_of("text", "end like a key, bad event", begun + sse("{nonsense"), "partial", "bad_reply", **more)
    yield case_of("text", "thought like a key, error", until_close(thought) + error, "next", streamed=STREAM)
    # Nothing has been shown yet, so another target may answer.
    yield case_of("text", "only like a key, error", until_close(sse(delta("s"))) + error, "next", streamed=STREAM)


def _spoiled_parts() -> Iterator[Case]:
    """Parts of a text whose kind is none."""
    for name, kind in {"list": [], "object": {}, "number": 7}.items():
        parts: list[dict[str, Any]] = [{"type": kind, "text": "x"}]
        whole: Any = completion(parts)  # type: ignore[arg-type]  # on purpose
        yield case_of("text", f"kind is a {name}", http(200, whole), "next", "bad_reply", streamed=WHOLE)
        stream = until_close(sse({"choices": [{"delta": {"content": parts}}]}, "[DONE]"))
        yield case_of("text", f"kind is a {name} streamed", stream, "next", "bad_reply", streamed=STREAM)
        candidate = {"content": {"parts": [{"text": parts}]}, "finishReason": "STOP"}
        gemini = http(200, {"candidates": [candidate]})
        yield case_of("text", f"kind is a {name} gemini", gemini, "next", "bad_reply", dialect="gemini")


def _packings() -> Iterator[Case]:
    body = json.dumps(completion("Fine")).encode()
    for name in ("utf-8", "none", "identity", "UTF-8"):
        yield case_of("packed", f"called {name}", http(200, body, Content_Encoding=name), "ok", text="Fine")
    members = gzip.compress(gzip.compress(b"", mtime=0) * 30_000)
    twice = http(200, members, Content_Encoding="gzip, gzip")
    yield case_of("packed", "layer in between grows", twice, "next", "reply_too_large")
    once = http(200, gzip.compress(b"", mtime=0) * 10_000, Content_Encoding="gzip")
    yield case_of("packed", "ten thousand members", once, "next", "reply_too_large")
    name_of_a_file = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"A" * 4_000_000
    bomb = http(200, gzip.compress(name_of_a_file), Content_Encoding="gzip, gzip")
    yield case_of("packed", "endless name inside", bomb, "next", "reply_too_large")
    two = http(200, gzip.compress(body[:30]) + gzip.compress(body[30:]), Content_Encoding="gzip")
    yield case_of("packed", "two members", two, "ok", text="Fine")


def _half_usages() -> Iterator[Case]:
    """Figures of which a part is missing: a lower bound, never the whole."""

    def whole(name: str, usage: dict[str, Any], wanted: dict[str, int | None], is_lower_bound: bool) -> Case:
        more: dict[str, Any] = {"usage": wanted, "is_lower_bound": is_lower_bound, "text": "Fine", "streamed": WHOLE}
        return case_of("usage", name, http(200, completion("Fine", usage=usage)), "ok", **more)

    yield whole("complete", {"prompt_tokens": 10, "completion_tokens": 5}, {"output_tokens": 5}, False)
    yield whole("negative input", {"prompt_tokens": -5, "completion_tokens": 5}, {"input_tokens": None}, True)
    yield whole("output in words", {"prompt_tokens": 10, "completion_tokens": "5"}, {"output_tokens": None}, True)
    yield from _anthropic_usages()
    yield from _gemini_usages()


def _anthropic_usages() -> Iterator[Case]:
    def stream(name: str, *events: dict[str, Any], then: Then = "ok", **more: Any) -> Case:
        raw = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode()
        return case_of("usage", f"anthropic {name}", until_close(raw), then, streamed=STREAM, dialect="anthropic",
                       text="Fine", **more)  # fmt: skip

    start = {"type": "message_start", "message": {"model": "m-1", "usage": {"input_tokens": 7, "output_tokens": 1}}}
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Fine"}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}
    bare = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    stop = {"type": "message_stop"}
    four, one = {"input_tokens": 7, "output_tokens": 4}, {"input_tokens": 7, "output_tokens": 1}
    yield stream("to the end", start, text, end, stop, usage=four, is_lower_bound=False)
    yield stream("error null", start, {**text, "error": None}, end, stop, usage=four, is_lower_bound=False)
    yield stream("no figures at the end", start, text, bare, stop, usage=one, is_lower_bound=True)
    nulls = {**bare, "usage": {"input_tokens": None, "output_tokens": None}}
    yield stream("nulls at the end", start, text, nulls, stop, usage=one, is_lower_bound=True)
    body = {"type": "message", "model": "m-1", "content": [{"type": "text", "text": "Fine"}], "stop_reason": "end_turn"}
    for name in ("cache_read_input_tokens", "cache_creation_input_tokens"):
        answer = http(200, {**body, "usage": {"input_tokens": 7, name: "90", "output_tokens": 4}})
        yield case_of(
            "usage", f"anthropic {name} in words", answer, "ok", text="Fine", dialect="anthropic", streamed=WHOLE,
            usage={"input_tokens": None, "output_tokens": 4}, is_lower_bound=True,
        )  # fmt: skip


def _gemini_usages() -> Iterator[Case]:
    def whole(name: str, figures: dict[str, int], output_tokens: int | None, is_lower_bound: bool) -> Case:
        candidate = {"content": {"parts": [{"text": "Fine"}]}, "finishReason": "STOP"}
        answer = http(200, {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 9, **figures}})
        return case_of(
            "usage", f"gemini {name}", answer, "ok", text="Fine", dialect="gemini", streamed=WHOLE,
            usage={"input_tokens": 9, "output_tokens": output_tokens}, is_lower_bound=is_lower_bound,
        )  # fmt: skip

    yield from _gemini_blocks()
    yield whole("all", {"candidatesTokenCount": 2, "thoughtsTokenCount": 30}, 32, False)
    yield whole("thoughts and total", {"thoughtsTokenCount": 100, "totalTokenCount": 112}, 103, False)
    yield whole("thoughts alone", {"thoughtsTokenCount": 100}, 100, True)
    yield whole("total alone", {"totalTokenCount": 12}, 3, False)
    yield whole("total of the prompt", {"totalTokenCount": 9}, None, True)


def _gemini_blocks() -> Iterator[Case]:
    """A refusal may be billed: what it says of its usage counts."""
    block = {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "m-1"}
    block |= {"usageMetadata": {"promptTokenCount": 1_200, "totalTokenCount": 1_200}}
    more: dict[str, Any] = {"dialect": "gemini", "usage": {"input_tokens": 1_200}, "is_lower_bound": True}
    yield case_of("usage", "gemini block", http(200, block), "stop", "content_policy", **more)
    text = {"candidates": [{"content": {"parts": [{"text": "Half"}]}}]}
    after = until_close(sse(text, block))
    yield case_of("usage", "gemini block after text", after, "partial", "content_policy", streamed=STREAM, text="Half",
                  **more)  # fmt: skip


ANSWER_GROUPS = (_pings, _ends, _texts, _packings, _half_usages)
