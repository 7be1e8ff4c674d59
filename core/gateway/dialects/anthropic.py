"""How does Anthropic's messages API speak?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.gateway.chat import ChatRequest, FinishReason, Usage
from core.gateway.dialects import shape
from core.gateway.dialects.shape import Dialect, Outgoing, Piece
from core.gateway.endpoints import Endpoint
from core.gateway.errors import BadReplyError

API_VERSION = "2023-06-01"

DEFAULT_MAX_TOKENS = 4096
"""This API wants a limit with every request."""

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
    "tool_use": "tool_calls", "refusal": "content_filter",
}  # fmt: skip
_EVENTS = frozenset({
    "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
    "message_stop",
})  # fmt: skip


def _headers(endpoint: Endpoint) -> dict[str, str]:
    key = {"x-api-key": endpoint.api_key} if endpoint.api_key else {}
    return {"anthropic-version": API_VERSION, **key}


def build(endpoint: Endpoint, model: str, request: ChatRequest, is_streamed: bool) -> Outgoing:
    """`POST {base}/messages`, the system text at the top level."""
    system = "\n\n".join(m.content for m in request.turns if m.role == "system")
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_output_tokens or DEFAULT_MAX_TOKENS,
        "messages": [{"role": m.role, "content": m.content} for m in request.turns if m.role != "system"],
    }
    if system:
        body["system"] = system
    if request.temperature is not None:
        # Its scale ends at 1 where the others go to 2.
        body["temperature"] = min(1.0, request.temperature)
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    if is_streamed:
        body["stream"] = True
    return shape.outgoing(endpoint, "/messages", _headers(endpoint), body)


def read_reply(data: object) -> Piece:
    """A whole message; BadReplyError for what is no object."""
    body = shape.as_object(data)
    blocks = shape.items(body, "content")
    return Piece(
        text="".join(shape.text_of(b.get("text")) for b in blocks if b.get("type") == "text"),
        reasoning="".join(shape.text_of(b.get("thinking")) for b in blocks if b.get("type") == "thinking"),
        finish=_finish(body), is_end=True, model=shape.name_of(body.get("model")), usage=_figures(body),
        error=_error(body),
    )  # fmt: skip


def read_event(name: str, data: str) -> Piece:
    """One event; an error such as `overloaded_error` may come inside a 200. BadReplyError for what is no event."""
    body = shape.load_event(name, data, _EVENTS)
    if body is None:
        return Piece()
    kind = body.get("type") or name
    if kind == "error" or body.get("error"):
        return Piece(error=_error(body) or {"error": {}})
    if kind == "message_start":
        message = shape.part(body, "message")
        figures = dict(_figures(message))
        # Its count of the output is that of a beginning, mostly 1.
        figures["output_tokens_at_start"] = figures.pop("output_tokens", None)
        return Piece(model=shape.name_of(message.get("model")), usage=figures)
    if kind == "content_block_start":
        block = shape.part(body, "content_block")
        return Piece(text=shape.text_of(block.get("text")), reasoning=shape.text_of(block.get("thinking")))
    if kind == "content_block_delta":
        delta = shape.part(body, "delta")
        return Piece(text=shape.text_of(delta.get("text")), reasoning=shape.text_of(delta.get("thinking")))
    if kind == "message_delta":
        return Piece(finish=_finish(shape.part(body, "delta")), usage=_figures(body))
    if kind == "message_stop":
        return Piece(is_end=True)
    if not isinstance(kind, str) or not kind:
        raise BadReplyError("The stream holds an event without a type.")
    # Pings, ends of blocks and whatever the API learns to say later.
    return Piece()


def read_usage(raw: Mapping[str, Any]) -> Usage | None:
    """`input_tokens` here leaves out what the cache gave or took: both are added, so that ours includes them."""
    fresh = shape.count(raw, "input_tokens")
    read = shape.count(raw, "cache_read_input_tokens")
    written = shape.count(raw, "cache_creation_input_tokens")
    split = shape.part(raw, "cache_creation")
    for_1h = shape.count(split, "ephemeral_1h_input_tokens")
    for_5m = shape.count(split, "ephemeral_5m_input_tokens")
    if for_5m is None and written is not None:
        # Without the split every write is of the ordinary, five-minute kind.
        for_5m = max(0, written - (for_1h or 0))
    # A figure of the cache that cannot be believed leaves the sum unknown.
    given = {"cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    is_sum_known = fresh is not None and all(raw.get(n) is None or value is not None for n, value in given.items())
    output, at_start = shape.count(raw, "output_tokens"), shape.count(raw, "output_tokens_at_start")
    return shape.checked_usage(
        Usage(
            input_tokens=(fresh or 0) + (read or 0) + (for_5m or 0) + (for_1h or 0) if is_sum_known else None,
            cached_input_tokens=read,
            cache_write_5m_tokens=for_5m,
            cache_write_1h_tokens=for_1h,
            output_tokens=at_start if output is None else output,
            is_lower_bound=output is None,
        )
    )


def models_call(endpoint: Endpoint) -> Outgoing:
    """`GET {base}/models`, up to 1,000 of them in one answer."""
    return shape.outgoing(endpoint, "/models?limit=1000", _headers(endpoint), None)


read_models = shape.names_in_data


def _figures(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures that are not null: a later null does not take an earlier figure back."""
    return {name: value for name, value in shape.part(body, "usage").items() if value is not None}


def _finish(body: Mapping[str, Any]) -> FinishReason | None:
    reason = body.get("stop_reason")
    return _FINISH.get(reason, "other") if isinstance(reason, str) and reason else None


def _error(body: Mapping[str, Any]) -> object:
    return {"error": body.get("error")} if body.get("type") == "error" or body.get("error") else None


DIALECT = Dialect(
    build=build, read_reply=read_reply, read_event=read_event, read_usage=read_usage, models_call=models_call,
    read_models=read_models,
)  # fmt: skip
