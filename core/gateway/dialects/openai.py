"""How do OpenAI and the many servers that copy its chat completions speak?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.gateway.chat import ChatRequest, FinishReason, Usage
from core.gateway.dialects import shape
from core.gateway.dialects.shape import Dialect, Outgoing, Piece
from core.gateway.endpoints import Endpoint

# OpenAI's reasoning models refuse `max_tokens` and a chosen temperature.
_NEW_LIMIT_NAME = re.compile(r"^(?:openai/)?(?:o[1-9]|gpt-5)")
_FINISH: dict[str, FinishReason] = {
    "stop": "stop", "end_turn": "stop", "eos": "stop", "length": "length", "max_tokens": "length",
    "content_filter": "content_filter", "tool_calls": "tool_calls", "function_call": "tool_calls",
}  # fmt: skip
# OpenRouter's, DeepSeek's and vLLM's words for an answer that was given up.
_FAILED = {"error", "failed", "abort", "aborted", "cancelled", "insufficient_system_resource"}


def build(endpoint: Endpoint, model: str, request: ChatRequest, is_streamed: bool) -> Outgoing:
    """`POST {base}/chat/completions`; a stream asks for its usage."""
    body: dict[str, Any] = {"model": model, "messages": [{"role": m.role, "content": m.content} for m in request.turns]}
    if request.max_output_tokens is not None:
        limit = "max_completion_tokens" if _NEW_LIMIT_NAME.match(model) else "max_tokens"
        body[limit] = request.max_output_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.stop:
        body["stop"] = list(request.stop)
    if is_streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return shape.outgoing(endpoint, "/chat/completions", shape.bearer(endpoint), body)


def read_reply(data: object) -> Piece:
    """A whole chat completion; BadReplyError for what is no object."""
    body = shape.as_object(data)
    choices = shape.items(body, "choices")
    choice = _ours(choices) or (choices[0] if choices else {})
    message = shape.part(choice, "message")
    text = shape.text_of(message.get("content")) or shape.text_of(message.get("refusal"))
    return Piece(
        text=text or shape.text_of(choice.get("text")), reasoning=_reasoning(message), finish=_finish(choice),
        is_end=True, model=shape.name_of(body.get("model")), usage=shape.part(body, "usage"),
        error=body.get("error") or _failure(choice),
    )  # fmt: skip


def read_event(name: str, data: str) -> Piece:
    """One chunk; BadReplyError for what is none. The usage chunk may have no choices, or one that says nothing."""
    if data.strip() == "[DONE]":
        return Piece(is_end=True)
    body = shape.load_event(name, data)
    if body is None:
        return Piece()
    choice = _ours(shape.items(body, "choices"))
    delta = shape.part(choice, "delta") or shape.part(choice, "message")
    return Piece(
        text=shape.text_of(delta.get("content")) or shape.text_of(delta.get("refusal")), reasoning=_reasoning(delta),
        finish=_finish(choice), model=shape.name_of(body.get("model")), usage=shape.part(body, "usage"),
        error=body.get("error") or _failure(choice),
    )  # fmt: skip


def read_usage(raw: Mapping[str, Any]) -> Usage | None:
    """`prompt_tokens` includes the cached ones; DeepSeek names those `prompt_cache_hit_tokens`."""
    prompt_details = shape.part(raw, "prompt_tokens_details")
    cached = shape.count(prompt_details, "cached_tokens")
    if cached is None:
        cached = shape.count(raw, "prompt_cache_hit_tokens")
    return shape.checked_usage(
        Usage(
            input_tokens=shape.count(raw, "prompt_tokens"),
            cached_input_tokens=cached,
            output_tokens=shape.count(raw, "completion_tokens"),
            reasoning_tokens=shape.count(shape.part(raw, "completion_tokens_details"), "reasoning_tokens"),
        )
    )


def models_call(endpoint: Endpoint) -> Outgoing:
    """`GET {base}/models`."""
    return shape.outgoing(endpoint, "/models", shape.bearer(endpoint), None)


read_models = shape.names_in_data


def _reasoning(message: Mapping[str, Any]) -> str:
    return shape.text_of(message.get("reasoning_content")) or shape.text_of(message.get("reasoning"))


def _ours(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """The first answer. Nobody asked for a second, and two of them must not be mixed."""
    return next((choice for choice in choices if choice.get("index") in (0, None)), {})


def _finish(choice: Mapping[str, Any]) -> FinishReason | None:
    reason = choice.get("finish_reason")
    return _FINISH.get(reason.lower(), "other") if isinstance(reason, str) and reason else None


def _failure(choice: Mapping[str, Any]) -> object:
    """An error inside the answer itself, None when there is none."""
    if choice.get("error"):
        return {"error": choice["error"]}
    reason = choice.get("finish_reason")
    return shape.stopped(reason) if isinstance(reason, str) and reason.lower() in _FAILED else None


DIALECT = Dialect(
    build=build, read_reply=read_reply, read_event=read_event, read_usage=read_usage, models_call=models_call,
    read_models=read_models,
)  # fmt: skip
