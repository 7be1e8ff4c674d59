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


def _path(endpoint: Endpoint, path: str) -> str:
    """The path below the root; a base URL may already name the version."""
    return path if _VERSION.search(endpoint.base_url) else f"/v1beta{path}"


def _headers(endpoint: Endpoint) -> dict[str, str]:
    return {"x-goog-api-key": endpoint.api_key} if endpoint.api_key else {}


def contents(request: ChatRequest) -> dict[str, Any]:
    """Messages in Gemini's shape: the assistant is called model, the system text stands apart."""
    roles = {"user": "user", "assistant": "model"}
    body: dict[str, Any] = {
        "contents": [
            {"role": roles[m.role], "parts": [{"text": m.content}]} for m in request.turns if m.role != "system"
        ]
    }
    system = "\n\n".join(m.content for m in request.turns if m.role == "system")
    if system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    return body


def build(endpoint: Endpoint, model: str, request: ChatRequest, is_streamed: bool) -> Outgoing:
    """`POST {root}/v1beta/models/{model}:generateContent`, or `:streamGenerateContent?alt=sse`."""
    body = contents(request)
    options = {
        "maxOutputTokens": request.max_output_tokens, "temperature": request.temperature, "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
    }  # fmt: skip
    options = {name: value for name, value in options.items() if value is not None}
    if options:
        body["generationConfig"] = options
    action = "streamGenerateContent?alt=sse" if is_streamed else "generateContent"
    name = quote(model.removeprefix("models/"), safe="")
    return shape.outgoing(endpoint, _path(endpoint, f"/models/{name}:{action}"), _headers(endpoint), body)


def read_reply(data: object) -> Piece:
    """A whole answer, or one event of a stream: both have the same shape."""
    body = shape.as_object(data)
    candidates = shape.items(body, "candidates")
    if not candidates and (reason := shape.part(body, "promptFeedback").get("blockReason")):
        raise shape.blocked(reason)
    parts = shape.items(shape.part(candidates[0], "content"), "parts") if candidates else []
    return Piece(
        text="".join(shape.text_of(p.get("text")) for p in parts if p.get("thought") is not True),
        reasoning="".join(shape.text_of(p.get("text")) for p in parts if p.get("thought") is True),
        finish=_finish(candidates), is_end=True, model=shape.name_of(body.get("modelVersion")),
        usage=shape.part(body, "usageMetadata"), error=body.get("error"),
    )  # fmt: skip


def read_event(name: str, data: str) -> Piece:
    """One event; a `[DONE]` is not Gemini's, but copies of it send one."""
    if data.strip() == "[DONE]":
        return Piece(is_end=True)
    body = shape.as_object(shape.load(data))
    if name == "error" and "error" not in body:
        return Piece(error={"error": body})
    # Later events may still bring the usage, so the reason alone does not end the stream.
    return replace(read_reply(body), is_end=False)


def read_usage(raw: Mapping[str, Any]) -> Usage | None:
    """`promptTokenCount` includes the cached ones; the output is the candidates and the thoughts together."""
    answer = shape.count(raw, "candidatesTokenCount")
    thoughts = shape.count(raw, "thoughtsTokenCount")
    return shape.checked_usage(
        Usage(
            input_tokens=shape.count(raw, "promptTokenCount"),
            cached_input_tokens=shape.count(raw, "cachedContentTokenCount"),
            output_tokens=None if answer is None else answer + (thoughts or 0),
            reasoning_tokens=thoughts,
        )
    )


def models_call(endpoint: Endpoint) -> Outgoing:
    return shape.outgoing(endpoint, _path(endpoint, "/models?pageSize=1000"), _headers(endpoint), None)


def read_models(data: object) -> list[str]:
    """Names of `{"models": [{"name": "models/..."}]}`, without their prefix."""
    names = [shape.name_of(item.get("name")) for item in shape.items(shape.as_object(data), "models")]
    return [name.removeprefix("models/") for name in names if name]


def _finish(candidates: list[dict[str, Any]]) -> FinishReason | None:
    reason = candidates[0].get("finishReason") if candidates else None
    if not isinstance(reason, str) or not reason or reason == "FINISH_REASON_UNSPECIFIED":
        return None
    if reason in _BLOCKED:
        return "content_filter"
    known: dict[str, FinishReason] = {"STOP": "stop", "MAX_TOKENS": "length"}
    return known.get(reason, "other")


DIALECT = Dialect(
    build=build, read_reply=read_reply, read_event=read_event, read_usage=read_usage, models_call=models_call,
    read_models=read_models,
)  # fmt: skip
