"""The table of faults: what the upstream sends, and what the gateway must make of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.faults.case import STREAM, WHOLE, Case, Then, case_of
from tests.faults.cases_answers import ANSWER_GROUPS
from tests.faults.cases_words import WORD_GROUPS
from tests.faults.upstream import (
    GOOD_STREAM,
    KEY,
    USAGE,
    chunked,
    completion,
    delta,
    drip,
    hang,
    http,
    in_pieces,
    reset,
    sse,
    then_hang,
    then_reset,
    until_close,
    zipped,
)

_OPENAI_ERROR = {"error": {"message": f"Something about {KEY} went wrong", "type": "x", "code": None}}
_STATUSES: tuple[tuple[int, Then, str], ...] = (
    (400, "stop", "bad_request"), (401, "next", "auth"), (402, "next", "quota"), (403, "next", "forbidden"),
    (404, "next", "model_not_found"), (408, "next", "busy"), (409, "next", "busy"), (413, "stop", "request_too_large"),
    (422, "stop", "bad_request"), (425, "next", "busy"), (429, "next", "rate_limited"), (500, "next", "upstream_error"),
    (501, "next", "upstream_error"), (502, "next", "upstream_error"), (503, "next", "overloaded"),
    (504, "next", "upstream_error"), (520, "next", "upstream_error"), (529, "next", "overloaded"),
)  # fmt: skip


def _error_body(dialect: str, status: int) -> dict[str, Any]:
    if dialect == "anthropic":
        return {"type": "error", "error": {"type": "x", "message": f"Something about {KEY} went wrong"}}
    if dialect == "gemini":
        return {"error": {"code": status, "message": f"Something about {KEY} went wrong", "status": "X"}}
    return _OPENAI_ERROR


def _statuses() -> Iterator[Case]:
    for dialect in ("openai", "anthropic", "gemini"):
        for status, then, kind in _STATUSES:
            # A 403 whose words are about a key is about the key.
            kinds = (kind, "auth") if status == 403 else (kind,)
            body = http(status, _error_body(dialect, status))
            yield case_of("status", f"{dialect}-{status}", body, then, *kinds, dialect=dialect)
    for status in (429, 500, 502, 503):
        yield case_of("status", f"html-{status}", http(status, "<html>no</html>", kind="text/html"), "next")
        yield case_of("status", f"empty-{status}", http(status), "next")
    for status in (301, 302, 307, 308):
        script = http(status, location="http://127.0.0.1:9/elsewhere")
        yield case_of("redirect", str(status), script, "next", "redirect")


def _meanings() -> Iterator[Case]:
    def error(status: int, message: str, code: str = "") -> bytes:
        return http(status, {"error": {"message": message, "type": code or "invalid_request_error", "code": code}})

    yield case_of("meaning", "quota under 429", error(429, "You exceeded it", "insufficient_quota"), "next", "quota")
    long = error(400, "This model's maximum context length is 8192 tokens", "context_length_exceeded")
    yield case_of("meaning", "context length", long, "stop", "context_length")
    invalid = error(400, "Invalid model: gpt-4")
    yield case_of("meaning", "invalid model under 400", invalid, "next", "model_not_found")
    missing = error(404, "The model `m` does not exist", "model_not_found")
    yield case_of("meaning", "missing model under 404", missing, "next", "model_not_found")
    policy = error(400, "Refused by our content_policy", "content_policy_violation")
    yield case_of("meaning", "content policy", policy, "stop", "content_policy")
    wrong_key = http(400, {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}})
    yield case_of("meaning", "gemini wrong key under 400", wrong_key, "next", "auth", dialect="gemini")
    echo = error(401, f"Incorrect API key provided: {KEY}", "invalid_api_key")
    yield case_of("meaning", "key echoed", echo, "next", "auth")
    part = error(401, f"Incorrect API key provided: {KEY[:12]}*******cdef", "invalid_api_key")
    yield case_of("meaning", "part of the key echoed", part, "next", "auth")


_RETRY_AFTERS: tuple[tuple[str, dict[str, str], float | None], ...] = (
    ("seconds", {"retry_after": "7"}, 7), ("fraction", {"retry_after": "1.5"}, 1.5), ("zero", {"retry_after": "0"}, 0),
    ("milliseconds", {"retry_after_ms": "2500", "retry_after": "9"}, 2.5), ("negative", {"retry_after": "-5"}, None),
    ("nan", {"retry_after": "nan"}, None), ("inf", {"retry_after": "inf"}, None),
    ("words", {"retry_after": "soon"}, None), ("past date", {"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
    ("empty", {"retry_after": ""}, None), ("bad date", {"retry_after": "Wed, 99 Foo 2015"}, None),
)  # fmt: skip


def _retry_afters() -> Iterator[Case]:
    for name, headers, wanted in _RETRY_AFTERS:
        script = http(429, _OPENAI_ERROR, **headers)
        yield case_of("retry-after", name, script, "next", "rate_limited", retry_after_s=wanted)
    delay = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "17s"}]}}
    body = http(429, delay)
    yield case_of("retry-after", "gemini", body, "next", "rate_limited", retry_after_s=17, dialect="gemini")


def _unusable() -> Iterator[Case]:
    """A 200 that holds no answer, in either mode."""
    bad = ("bad_reply", "truncated", "upstream_error")
    for name, body in {
        "html": "<html>Please log in</html>", "empty": "", "spaces": "  \n ", "truncated json": '{"choices": [{"mess',
        "words": "OK", "list": "[]", "null": "null", "number": "17", "string": '"fine"', "object": "{}",
        "no choices": '{"choices": []}', "null choices": '{"choices": null}', "choices of words": '{"choices": ["a"]}',
        "null message": '{"choices": [{"message": null, "finish_reason": "stop"}]}',
        "null content": json.dumps(completion(None)), "empty content": json.dumps(completion("")),
        "blank content": json.dumps(completion(" \n")), "content number": json.dumps(completion(17)),  # type: ignore[arg-type]  # on purpose
        "deep nesting": "[" * 20_000, "nan": '{"choices": NaN}', "control signs": "\x00\x01\x02",
    }.items():  # fmt: skip
        yield case_of("unusable", name, http(200, body), "next", *bad)
    yield case_of("unusable", "html with 200 and its type", http(200, "<html>", kind="text/html"), "next", *bad)
    yield case_of("unusable", "no body 204", b"HTTP/1.1 204 No Content\r\n\r\n", "next", *bad)
    yield case_of("unusable", "invalid utf-8", http(200, b'{"choices": "\xff\xfe"}'), "next", *bad)
    error = {"error": {"message": "upstream broke", "code": 502}}
    yield case_of("unusable", "error object", http(200, error), "next", "upstream_error", "bad_reply")
    limited = {"error": {"message": "slow down", "code": 429}}
    yield case_of("unusable", "error object 429", http(200, limited), "next", "rate_limited")
    yield case_of("unusable", "error text", http(200, {"error": "broken"}), "next", "upstream_error", "bad_reply")
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    yield case_of("unusable", "gemini block", http(200, blocked), "stop", "content_policy", dialect="gemini")
    yield case_of("unusable", "gemini no candidates", http(200, {"candidates": []}), "next", *bad, dialect="gemini")
    empty = {"type": "message", "content": [], "stop_reason": "end_turn"}
    yield case_of("unusable", "anthropic no content", http(200, empty), "next", *bad, dialect="anthropic")


def _packed() -> Iterator[Case]:
    bad = ("bad_reply", "truncated")
    gz = {"Content_Encoding": "gzip"}
    body = json.dumps(completion("packed")).encode()
    yield case_of("packed", "good gzip", http(200, zipped(body), **gz), "ok", text="packed")
    yield case_of("packed", "bad gzip", http(200, b"\x1f\x8bnonsense", **gz), "next", *bad)
    yield case_of("packed", "not gzip at all", http(200, body, **gz), "next", *bad)
    yield case_of("packed", "cut gzip", http(200, zipped(body)[:-20], **gz), "next", *bad)
    yield case_of("packed", "unknown coding", http(200, body, Content_Encoding="br"), "next", *bad)
    bomb = zipped(b" " * (64 * 2**20))
    large = ("reply_too_large",)
    yield case_of("packed", "gzip bomb", http(200, bomb, **gz), "next", *large)
    double = http(200, zipped(bomb), Content_Encoding="gzip, gzip")
    yield case_of("packed", "double gzip bomb", double, "next", *large)
    yield case_of("packed", "huge body", http(200, completion("x" * 2**20)), "next", *large)
    endless = drip(until_close(b'{"x": "', kind="application/json"), b"y" * 65536, pause_s=0.0)
    yield case_of("packed", "endless body", endless, "next", *large)
    event = until_close(b"data: " + b"z" * 2**19)
    yield case_of("packed", "huge event", event, "next", *large, streamed=STREAM)


def _broken() -> Iterator[Case]:
    lost = ("connection_lost", "protocol", "truncated")
    yield case_of("broken", "closed at once", b"", "next", *lost, "connect")
    yield case_of("broken", "reset at once", reset, "next", *lost)
    yield case_of("broken", "not http", b"SSH-2.0-OpenSSH_9.6\r\n", "next", *lost)
    yield case_of("broken", "half a head", b"HTTP/1.1 200 OK\r\nContent-Ty", "next", *lost)
    yield case_of("broken", "bad length", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "next", *lost)
    yield case_of("broken", "bad chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "next", *lost)
    short = http(200, completion()).replace(b"Content-Length: ", b"Content-Length: 9")
    yield case_of("broken", "too little body", short, "next", *lost)
    head = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"
    yield case_of("broken", "huge head", head, "next", *lost)
    yield case_of("broken", "reset in body", then_reset(until_close(b'{"choices"')), "next", *lost, "bad_reply")


def _slow() -> Iterator[Case]:
    slow = ("headers_timeout", "first_token_timeout", "idle_timeout", "deadline")
    yield case_of("slow", "hang", hang, "next", *slow)
    yield case_of("slow", "hang in head", then_hang(b"HTTP/1.1 200 OK\r\n"), "next", *slow)
    yield case_of("slow", "hang after head", then_hang(until_close(b"")), "next", *slow)
    yield case_of("slow", "drip of head", drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"), "next", *slow)
    yield case_of("slow", "drip of body", drip(until_close(b"{"), b" "), "next", *slow)
    yield case_of(
        "slow", "comments for ever", drip(until_close(b": hi\n\n"), b": hi\n\n"), "next", *slow, streamed=STREAM
    )
    role = sse({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
    yield case_of("slow", "empty deltas for ever", drip(until_close(role), role), "next", *slow, streamed=STREAM)


def _streams() -> Iterator[Case]:
    bad = ("bad_reply", "truncated")

    def case(name: str, body: bytes, then: Then, *kinds: str, **more: Any) -> Case:
        return case_of("stream", name, until_close(body), then, *kinds, streamed=STREAM, **more)

    yield case("only done", sse("[DONE]"), "next", *bad)
    yield case("only comments", b": a\n\n: b\n\n", "next", *bad)
    yield case("only role", sse({"choices": [{"delta": {"role": "assistant"}}]}), "next", *bad)
    yield case("only usage", sse(USAGE, "[DONE]"), "next", *bad)
    yield case("only finish", sse(delta(finish="stop"), "[DONE]"), "next", *bad)
    yield case("bad json first", sse("{nonsense"), "next", *bad)
    yield case("error first", sse({"error": {"message": "broke", "code": 500}}), "next", "upstream_error", *bad)
    yield case("overloaded first", sse({"error": {"message": "x", "type": "overloaded_error"}}), "next", "overloaded")
    yield case("cut before end", sse(delta("Half")), "partial", "truncated", text="Half")
    yield case("cut in event", sse(delta("Half")) + b'data: {"choi', "partial", *bad, text="Half")
    error = sse(delta("Half"), {"error": {"message": "broke", "code": 500}})
    yield case("error after text", error, "partial", "upstream_error", text="Half")
    yield case("bad json after text", sse(delta("Half"), "{nonsense"), "partial", *bad, text="Half")
    yield case("no done", sse(delta("Fine"), delta(finish="stop")), "ok", text="Fine")
    yield case("no finish", sse(delta("Fine"), "[DONE]"), "ok", text="Fine")
    yield case("length", sse(delta("Long"), delta(finish="length"), "[DONE]"), "ok", text="Long")
    yield case("last event without blank line", sse(delta("Fine", "stop")).rstrip(), "ok", text="Fine")
    lost = ("connection_lost", "truncated", "protocol")
    cut = chunked([sse(delta("Half"))], is_ended=False)
    yield case_of("stream", "cut chunk", cut, "partial", *lost, streamed=STREAM, text="Half")
    broken = then_reset(until_close(sse(delta("Half"))))
    yield case_of("stream", "reset after text", broken, "partial", *lost, streamed=STREAM, text="Half")
    idle = ("idle_timeout", "deadline")
    silent = then_hang(until_close(sse(delta("Half"))))
    yield case_of("stream", "silence after text", silent, "partial", *idle, streamed=STREAM, text="Half")
    dripping = drip(until_close(sse(delta("Half"))), b": still here\n\n")
    yield case_of("stream", "comments after text", dripping, "partial", *idle, streamed=STREAM, text="Half")
    yield from _anthropic_streams()
    yield from _gemini_streams()


def _anthropic_streams() -> Iterator[Case]:
    def case(name: str, events: list[dict[str, Any]], then: Then, *kinds: str, **more: Any) -> Case:
        raw = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode()
        script = until_close(raw)
        return case_of(
            "stream", f"anthropic {name}", script, then, *kinds, streamed=STREAM, dialect="anthropic", **more
        )

    start = {"type": "message_start", "message": {"model": "m-1", "usage": {"input_tokens": 7, "output_tokens": 1}}}
    cached = {"input_tokens": 7, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 3, "output_tokens": 1}
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Fine"}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}
    stop = {"type": "message_stop"}
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    yield case("overloaded first", [start, error], "next", "overloaded")
    yield case("overloaded after text", [start, text, error], "partial", "overloaded", text="Fine")
    yield case("cut", [start, text], "partial", "truncated", text="Fine")
    yield case("only pings", [start, {"type": "ping"}], "next", "truncated", "bad_reply")
    yield case("whole", [start, {"type": "ping"}, text, end, stop], "ok", text="Fine", usage={"input_tokens": 7})
    unknown = [start, {"type": "new_thing", "data": [1]}, text, end, stop]
    yield case("unknown event", unknown, "ok", text="Fine", usage={"output_tokens": 4})
    full = {"type": "message_start", "message": {"model": "m-1", "usage": cached}}
    wanted = {"input_tokens": 100, "cached_input_tokens": 90, "output_tokens": 4}
    yield case("cached input is added", [full, text, end, stop], "ok", text="Fine", usage=wanted)


def _gemini_streams() -> Iterator[Case]:
    def part(text: str, finish: str | None = None, **usage: int) -> dict[str, Any]:
        one: dict[str, Any] = {"content": {"parts": [{"text": text}]}}
        return {"candidates": [one | ({"finishReason": finish} if finish else {})], "usageMetadata": usage}

    def case(name: str, body: bytes, then: Then, *kinds: str, **more: Any) -> Case:
        script = until_close(body)
        return case_of("stream", f"gemini {name}", script, then, *kinds, streamed=STREAM, dialect="gemini", **more)

    yield case("blocked", sse({"promptFeedback": {"blockReason": "SAFETY"}}), "stop", "content_policy")
    yield case("cut", sse(part("Half")), "partial", "truncated", text="Half")
    whole = sse(part("Fi", promptTokenCount=9), part("ne", "STOP", promptTokenCount=9, candidatesTokenCount=2))
    yield case("repeated usage is not summed", whole, "ok", text="Fine", usage={"input_tokens": 9, "output_tokens": 2})
    thinking = sse(part("Fine", "STOP", promptTokenCount=9, candidatesTokenCount=2, thoughtsTokenCount=30))
    yield case("thoughts are output", thinking, "ok", text="Fine", usage={"output_tokens": 32})


def _wire() -> Iterator[Case]:
    """Odd, but right: these are answers."""
    text = "여보세요\u2028둘\u0085셋 😀"
    odd = sse(delta(text), delta(finish="stop"), "[DONE]")
    more: dict[str, Any] = {"streamed": STREAM, "text": text}
    yield case_of("wire", "one byte at a time", in_pieces(until_close(odd)), "ok", **more)
    yield case_of("wire", "seven bytes at a time", in_pieces(until_close(odd), 7), "ok", **more)
    for name, newline in {"cr": "\r", "crlf": "\r\n", "lf": "\n"}.items():
        body = sse(delta(text), delta(finish="stop"), "[DONE]", newline=newline)
        yield case_of("wire", f"{name} in pieces", in_pieces(until_close(body), 5), "ok", **more)
    yield case_of("wire", "byte order mark", until_close(b"\xef\xbb\xbf" + odd), "ok", **more)
    yield case_of(
        "wire", "comments between", until_close(b": hi\n\n" + odd.replace(b"\n\n", b"\n\n: hi\n\n")), "ok", **more
    )
    yield case_of("wire", "wrong type stream", until_close(odd, kind="text/plain"), "ok", **more)
    lines = until_close(b'data: {"choices": [{"delta":\ndata: {"content": "Fine"}}]}\n\n' + sse("[DONE]"))
    yield case_of("wire", "data in two lines", lines, "ok", streamed=STREAM, text="Fine")
    yield case_of("wire", "wrong type json", http(200, completion("Fine"), kind="text/html"), "ok", text="Fine")
    yield case_of("wire", "no type json", http(200, completion("Fine"), kind=""), "ok", text="Fine")
    yield case_of(
        "wire", "json where a stream was asked", http(200, completion("Fine")), "ok", streamed=STREAM, text="Fine"
    )
    yield case_of(
        "wire", "content in parts", http(200, completion([{"type": "text", "text": "Fine"}])), "ok", text="Fine"
    )  # type: ignore[arg-type]  # on purpose
    pair = http(200, json.dumps(completion("A")).replace('"A"', '"A\\ud83d"'))
    yield case_of("wire", "half a surrogate pair", pair, "ok", text="A\ufffd")
    echo = until_close(sse(delta(f"Your key is {KEY[:9]}"), delta(f"{KEY[9:]}, isn't it?", "stop"), "[DONE]"))
    yield case_of("wire", "key in the answer", echo, "ok", streamed=STREAM, text="Your key is [key hidden], isn't it?")
    yield case_of("wire", "chunked", chunked([GOOD_STREAM[:30], GOOD_STREAM[30:]]), "ok", streamed=STREAM)


def _usages() -> Iterator[Case]:
    for name, usage in {
        "missing": ..., "null": None, "words": "many", "strings": {"prompt_tokens": "10", "completion_tokens": "5"},
        "negative": {"prompt_tokens": -1, "completion_tokens": -5}, "list": [1], "empty": {},
        "flags": {"prompt_tokens": True, "completion_tokens": True},
        "nulls": {"prompt_tokens": None, "completion_tokens": None},
        "absurd": {"prompt_tokens": 10**30, "completion_tokens": 10**30},
        "zeros": {"prompt_tokens": 0, "completion_tokens": 0},
        "fractions": {"prompt_tokens": 1.5, "completion_tokens": 2.5},
        "more cached than all": {"prompt_tokens": 5, "completion_tokens": 1, "prompt_cache_hit_tokens": 9},
    }.items():  # fmt: skip
        body = completion("Fine")
        if usage is ...:
            del body["usage"]
        else:
            body["usage"] = usage
        yield case_of("usage", name, http(200, body), "ok", streamed=WHOLE, text="Fine", is_usage_unknown=True)
        last = {"choices": [], "usage": body.get("usage")}
        stream = until_close(sse(delta("Fine"), delta(finish="stop"), last, "[DONE]"))
        yield case_of("usage", f"{name} streamed", stream, "ok", streamed=STREAM, text="Fine", is_usage_unknown=True)
    wanted = {"input_tokens": 10, "output_tokens": 5}
    one = {"index": 0, "delta": {}, "finish_reason": None}
    for name, last in {"empty choices": USAGE, "one empty choice": {**USAGE, "choices": [one]}}.items():
        stream = until_close(sse(delta("Fine"), delta(finish="stop"), last, "[DONE]"))
        yield case_of("usage", name, stream, "ok", streamed=STREAM, text="Fine", usage=wanted)
    repeated = until_close(
        sse(delta("Fi", usage=USAGE["usage"]), delta("ne", "stop", usage=USAGE["usage"]), USAGE, "[DONE]")
    )
    yield case_of("usage", "repeated is not summed", repeated, "ok", streamed=STREAM, text="Fine", usage=wanted)


CASES: tuple[Case, ...] = tuple(
    case
    for group in (
        _statuses, _meanings, _retry_afters, _unusable, _packed, _broken, _slow, _streams, _wire, _usages,
        *WORD_GROUPS, *ANSWER_GROUPS,
    )
    for case in group()
)  # fmt: skip
