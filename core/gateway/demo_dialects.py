"""How does the demo upstream read and write the three dialects? Plain functions, no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from core.gateway.chat import Message, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks for, whatever its dialect."""

    model: str
    messages: tuple[Message, ...]
    is_streamed: bool
    max_tokens: int | None
    stop: tuple[str, ...]
    wants_usage: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered: text in pieces, tokens, and "stop" or "length" as its end."""

    model: str
    pieces: Sequence[str]
    input_tokens: int
    output_tokens: int
    finish: str
    wants_usage: bool = True

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class NotUnderstoodError(ValueError):
    """The body is no request of this dialect; the text names the field."""


def read(dialect: str, body: bytes, path_model: str = "", *, is_streamed: bool = False) -> Asked:
    """A request body of a dialect. Raises NotUnderstoodError."""
    try:
        data = json.loads(body)
    except ValueError:
        raise NotUnderstoodError("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise NotUnderstoodError("The body is not a JSON object.")
    asked = _read_gemini(data, path_model, is_streamed) if dialect == "gemini" else _read_messages(dialect, data)
    if not asked.messages:
        raise NotUnderstoodError("messages: give at least one.")
    return asked


def _read_messages(dialect: str, data: Mapping[str, Any]) -> Asked:
    turns = [_message(one.get("role"), one.get("content")) for one in data.get("messages") or [] if _is_dict(one)]
    if dialect == "anthropic":
        if data.get("system"):
            turns.insert(0, _message("system", data["system"]))
        if not isinstance(data.get("max_tokens"), int):
            raise NotUnderstoodError("max_tokens: Field required")
    limit = data.get("max_tokens", data.get("max_completion_tokens"))
    stop = data.get("stop_sequences" if dialect == "anthropic" else "stop") or []
    options = data.get("stream_options")
    return Asked(
        model=str(data.get("model") or ""),
        messages=tuple(turns),
        is_streamed=data.get("stream") is True,
        max_tokens=limit if isinstance(limit, int) else None,
        stop=tuple([stop] if isinstance(stop, str) else map(str, stop)),
        wants_usage=dialect == "anthropic"
        or not data.get("stream")
        or (_is_dict(options) and options.get("include_usage") is True),
    )


def _read_gemini(data: Mapping[str, Any], model: str, is_streamed: bool) -> Asked:
    turns = [
        _message(_GEMINI_ROLES.get(one.get("role"), "user"), one.get("parts")) for one in data.get("contents") or []
    ]
    system = data.get("systemInstruction") or data.get("system_instruction")
    if _is_dict(system):
        turns.insert(0, _message("system", system.get("parts")))
    config = data.get("generationConfig") or {}
    limit = config.get("maxOutputTokens")
    return Asked(
        model=model,
        messages=tuple(turns),
        is_streamed=is_streamed,
        max_tokens=limit if isinstance(limit, int) else None,
        stop=tuple(map(str, config.get("stopSequences") or [])),
    )


_GEMINI_ROLES: Mapping[Any, str] = {"user": "user", "model": "assistant"}
_ROLES: Mapping[Any, Role] = {"system": "system", "developer": "system", "assistant": "assistant"}


def _is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _message(role: object, content: object) -> Message:
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return Message(role=_ROLES.get(role, "user"), content=str(content or ""))


def reply(dialect: str, answer: Answer) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    if dialect == "anthropic":
        return {
            "id": "msg_demo", "type": "message", "role": "assistant", "model": answer.model,
            "content": [{"type": "text", "text": answer.text}], "stop_reason": _ANTHROPIC_ENDS[answer.finish],
            "usage": {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens},
        }  # fmt: skip
    if dialect == "gemini":
        return _gemini(answer, answer.text, answer.finish)
    return {
        "id": "chatcmpl-demo", "object": "chat.completion", "created": 0, "model": answer.model,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": answer.text}, "finish_reason": answer.finish}
        ],
        "usage": _openai_usage(answer),
    }  # fmt: skip


def events(dialect: str, answer: Answer) -> Iterable[tuple[bytes, bool]]:
    """The events of a streamed answer, each with whether it carries text."""
    return {"anthropic": _anthropic_events, "gemini": _gemini_events}.get(dialect, _openai_events)(answer)


_ANTHROPIC_ENDS = {"stop": "end_turn", "length": "max_tokens"}
_GEMINI_ENDS = {"stop": "STOP", "length": "MAX_TOKENS"}


def _openai_usage(answer: Answer) -> dict[str, int]:
    total = answer.input_tokens + answer.output_tokens
    return {"prompt_tokens": answer.input_tokens, "completion_tokens": answer.output_tokens, "total_tokens": total}


def _openai_events(answer: Answer) -> Iterable[tuple[bytes, bool]]:
    def chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "chatcmpl-demo", "object": "chat.completion.chunk", "model": answer.model, "choices": [choice]}

    yield _sse(chunk({"role": "assistant", "content": ""})), False
    for piece in answer.pieces:
        yield _sse(chunk({"content": piece})), True
    yield _sse(chunk({}, answer.finish)), False
    if answer.wants_usage:
        yield _sse({**chunk({}), "choices": [], "usage": _openai_usage(answer)}), False
    yield b"data: [DONE]\n\n", False


def _anthropic_events(answer: Answer) -> Iterable[tuple[bytes, bool]]:
    def event(kind: str, **fields: Any) -> bytes:
        return _sse({"type": kind, **fields}, kind)

    start = {"id": "msg_demo", "type": "message", "role": "assistant", "model": answer.model, "content": []}
    usage = {"input_tokens": answer.input_tokens, "output_tokens": 1}
    yield event("message_start", message={**start, "usage": usage}), False
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""}), False
    yield event("ping"), False
    for piece in answer.pieces:
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}), True
    yield event("content_block_stop", index=0), False
    end = {"stop_reason": _ANTHROPIC_ENDS[answer.finish], "stop_sequence": None}
    yield event("message_delta", delta=end, usage={"output_tokens": answer.output_tokens}), False
    yield event("message_stop"), False


def _gemini(answer: Answer, text: str, finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}
    if finish:
        candidate["finishReason"] = _GEMINI_ENDS[finish]
    usage = {
        "promptTokenCount": answer.input_tokens, "candidatesTokenCount": answer.output_tokens,
        "totalTokenCount": answer.input_tokens + answer.output_tokens,
    }  # fmt: skip
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": answer.model}


def _gemini_events(answer: Answer) -> Iterable[tuple[bytes, bool]]:
    for piece in answer.pieces:
        yield _sse(_gemini(answer, piece, None)), True
    yield _sse(_gemini(answer, "", answer.finish)), False


def _sse(data: dict[str, Any], event: str = "") -> bytes:
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def error(dialect: str, status: int, kind: str, text: str) -> dict[str, Any]:
    """The body of a refusal as the dialect writes it."""
    if dialect == "anthropic":
        return {"type": "error", "error": {"type": _ANTHROPIC_KINDS.get(status, "api_error"), "message": text}}
    if dialect == "gemini":
        return {"error": {"code": status, "message": text, "status": _GEMINI_KINDS.get(status, "UNKNOWN")}}
    return {"error": {"message": text, "type": kind, "param": None, "code": kind}}


_ANTHROPIC_KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error",
    529: "overloaded_error",
}  # fmt: skip
_GEMINI_KINDS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}  # fmt: skip


def model_list(dialect: str, names: Sequence[str]) -> dict[str, Any]:
    """The answer to a request for the list of models."""
    if dialect == "gemini":
        methods = ["generateContent", "streamGenerateContent"]
        return {"models": [{"name": f"models/{name}", "supportedGenerationMethods": methods} for name in names]}
    if dialect == "anthropic":
        return {"data": [{"type": "model", "id": name} for name in names], "has_more": False}
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "demo"} for name in names]}
