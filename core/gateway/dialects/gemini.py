"""How does Google's Gemini API speak?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from core.gateway.chat import ChatRequest, FinishReason, Usage
from core.gateway.dialects import shape
from core.gateway.dialects.shape import Dialect, Outgoing, Piece
from core.gateway.endpoints import Endpoint

_VERSION = re.compile(r"/v1(?:beta|alpha)?$")
_BLOCKED = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY"}
_FINISH: dict[str, FinishReason] = {"STOP": "stop", "MAX_TOKENS": "length"}


def _path(endpoint: Endpoint, path: str) -> str:
    """The path below the root; a base URL may already name the version."""
    return path if _VERSION.search(endpoint.base_url) else f"/v1beta{path}"


def _headers(endpoint: Endpoint) -> dict[str, str]:
    return {"x-goog-api-key": endpoint.api_key} if endpoint.api_key else {}


def body_of(request: ChatRequest) -> dict[str, Any]:
    """A request in Gemini's shape: the assistant is called model, the system text and the options stand apart."""
    roles = {"user": "user", "assistant": "model"}
    body: dict[str, Any] = {
        "contents": [
            {"role": roles[m.role], "parts": [{"text": m.content}]} for m in request.turns if m.role != "system"
        ]
    }
    system = "\n\n".join(m.content for m in request.turns if m.role == "system")
    if system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    options = {
        "maxOutputTokens": request.max_output_tokens, "temperature": request.temperature, "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
    }  # fmt: skip
    options = {name: value for name, value in options.items() if value is not None}
    if options:
        body["generationConfig"] = options
    return body


def build(endpoint: Endpoint, model: str, request: ChatRequest, is_streamed: bool) -> Outgoing:
    """`POST {root}/v1beta/models/{model}:generateContent`, or `:streamGenerateContent?alt=sse`."""
    action = "streamGenerateContent?alt=sse" if is_streamed else "generateContent"
    name = quote(model.removeprefix("models/"), safe="")
    return shape.outgoing(endpoint, _path(endpoint, f"/models/{name}:{action}"), _headers(endpoint), body_of(request))


def read_reply(data: object) -> Piece:
    """A whole answer, or one event of a stream: both have the same shape."""
    body = shape.as_object(data)
    candidates = shape.items(body, "candidates")
    block = None if candidates else shape.part(body, "promptFeedback").get("blockReason")
    reason = _reason(candidates)
    parts = shape.items(shape.part(candidates[0], "content"), "parts") if candidates else []
    is_failure = reason not in _FINISH and reason not in _BLOCKED
    failure = shape.stopped(reason) if reason is not None and is_failure else None
    return Piece(
        text="".join(shape.text_of(p.get("text")) for p in parts if p.get("thought") is not True),
        reasoning="".join(shape.text_of(p.get("text")) for p in parts if p.get("thought") is True),
        finish=_finish(reason), is_end=True, model=shape.name_of(body.get("modelVersion")),
        usage=shape.part(body, "usageMetadata"),
        error=shape.blocked(block) if block else body.get("error") or failure,
    )  # fmt: skip


def read_event(name: str, data: str) -> Piece:
    """One event; a `[DONE]` is not Gemini's, but copies of it send one."""
    if data.strip() == "[DONE]":
        return Piece(is_end=True)
    body = shape.load_event(name, data)
    if body is None:
        return Piece()
    # Later events may still bring the usage, so the reason alone does not end the stream.
    return replace(read_reply(body), is_end=False)


def read_usage(raw: Mapping[str, Any]) -> Usage | None:
    """`promptTokenCount` includes the cached ones; the output is the candidates and the thoughts together."""
    prompt, total = shape.count(raw, "promptTokenCount"), shape.count(raw, "totalTokenCount")
    answer, thoughts = shape.count(raw, "candidatesTokenCount"), shape.count(raw, "thoughtsTokenCount")
    output = None if answer is None else answer + (thoughts or 0)
    is_total_used = answer is None and prompt is not None and total is not None and total > prompt
    if answer is None:
        output = (total or 0) - (prompt or 0) if is_total_used else thoughts
    return shape.checked_usage(
        Usage(
            input_tokens=prompt,
            cached_input_tokens=shape.count(raw, "cachedContentTokenCount"),
            output_tokens=output,
            reasoning_tokens=thoughts,
            is_lower_bound=answer is None and not is_total_used,
        )
    )


def models_call(endpoint: Endpoint) -> Outgoing:
    """`GET {base}/v1beta/models`, up to 1,000 of them; a base URL that names a version keeps its own."""
    return shape.outgoing(endpoint, _path(endpoint, "/models?pageSize=1000"), _headers(endpoint), None)


def read_models(data: object) -> list[str]:
    """Names of `{"models": [{"name": "models/..."}]}`, without their prefix."""
    names = [shape.name_of(item.get("name")) for item in shape.listed(data, "models")]
    return [name.removeprefix("models/") for name in names if name]


def _reason(candidates: list[dict[str, Any]]) -> str | None:
    reason = candidates[0].get("finishReason") if candidates else None
    is_said = isinstance(reason, str) and reason not in {"", "FINISH_REASON_UNSPECIFIED"}
    return reason if is_said else None


def _finish(reason: str | None) -> FinishReason | None:
    """Whole or blocked; any other reason (MALFORMED_FUNCTION_CALL, OTHER) is a failure and not the end."""
    return "content_filter" if reason in _BLOCKED else _FINISH.get(reason or "")


DIALECT = Dialect(
    build=build, read_reply=read_reply, read_event=read_event, read_usage=read_usage, models_call=models_call,
    read_models=read_models,
)  # fmt: skip
