"""What does every dialect offer, and how are its figures read without trusting them?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from core.gateway.chat import ChatRequest, FinishReason, Usage
from core.gateway.endpoints import Endpoint
from core.gateway.errors import BadReplyError, ContentPolicyError

MAX_TOKENS_BELIEVED = 10**9
"""No request has more: a larger figure is a fault of the upstream."""

MAX_DIGITS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One request ready to be sent."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one event, or a whole answer, says. `usage` are raw figures: merged over a stream, later ones win.

    `finish` is the reason the model stopped, `is_end` that nothing follows. `error` is an error object in a 200, or
    the error it stands for.
    """

    text: str = ""
    reasoning: str = ""
    finish: FinishReason | None = None
    is_end: bool = False
    model: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    error: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Pure functions: JSON in, values out. Readers raise BadReplyError and nothing else."""

    build: Callable[[Endpoint, str, ChatRequest, bool], Outgoing]
    read_reply: Callable[[object], Piece]
    read_event: Callable[[str, str], Piece]
    read_usage: Callable[[Mapping[str, Any]], Usage | None]
    models_call: Callable[[Endpoint], Outgoing]
    read_models: Callable[[object], list[str]]
    can_stream: bool = True


def outgoing(endpoint: Endpoint, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None) -> Outgoing:
    """A request below the endpoint's base URL; the endpoint's own headers win."""
    return Outgoing(
        url=endpoint.base_url + path,
        headers={**headers, **endpoint.headers},
        body=b"" if body is None else json.dumps(body).encode(),
    )


def bearer(endpoint: Endpoint) -> dict[str, str]:
    """The key as most servers want it; no header without a key."""
    return {"authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else {}


def load(data: str | bytes) -> object:
    """JSON of an upstream; BadReplyError for anything that is none, however deep or strange."""
    try:
        return json.loads(data, parse_constant=_refuse)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError, BadReplyError):
        pass
    except ValueError:
        # A whole number of thousands of digits, which Python refuses to read: it spoils itself, not the answer.
        with suppress(ValueError, RecursionError, BadReplyError):
            return json.loads(data, parse_constant=_refuse, parse_int=_whole)
    raise BadReplyError("The answer is not valid JSON.")


def _refuse(name: str) -> None:
    raise BadReplyError(name)


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) < MAX_DIGITS else None


def load_event(name: str, data: str, names: frozenset[str] = frozenset()) -> dict[str, Any] | None:
    """The JSON object of one event. None for an event of another name than `names` that holds none: somebody's ping.

    An error that is plain text becomes an error object. Raises BadReplyError for all others.
    """
    body: object = None
    try:
        body = load(data)
    except BadReplyError:
        if name == "error":
            return {"error": data}
    if isinstance(body, dict):
        return {"error": body} if name == "error" and "error" not in body else body
    if name in {"", "message", "error"} or name in names:
        raise BadReplyError("The stream holds an event that is not a JSON object.")
    return None


def as_object(data: object) -> dict[str, Any]:
    """The answer itself; BadReplyError when it is no JSON object."""
    if not isinstance(data, dict):
        raise BadReplyError("The answer is not a JSON object.")
    return data


def part(data: object, name: str) -> dict[str, Any]:
    """A nested object, empty when it is missing or something else."""
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def items(data: object, name: str) -> list[dict[str, Any]]:
    """The objects of a nested list, empty when it is missing or something else."""
    value = data.get(name) if isinstance(data, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def listed(data: object, name: str) -> list[dict[str, Any]]:
    """The objects of a list that has to be there. BadReplyError when it is not; null is Ollama's empty list."""
    if not isinstance(as_object(data).get(name, ""), list | None):
        raise BadReplyError("The answer is no list of models.")
    return items(data, name)


def text_of(value: object) -> str:
    """Text given as a string or as a list of text parts; anything else is no text. It may hold lone surrogates."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        # A tuple, since what stands there may be a list or an object, which no set can be asked for.
        kinds = ("text", "output_text")
        parts = [p.get("text") for p in value if isinstance(p, dict) and p.get("type", "text") in kinds]
        return "".join(p for p in parts if isinstance(p, str))
    return ""


def name_of(value: object) -> str | None:
    """A model's name as reported: one printable line of at most 200 characters, or None."""
    if not isinstance(value, str):
        return None
    shown = "".join(sign for sign in value[:200] if sign.isprintable()).strip()
    return shown or None


def names_in_data(data: object) -> list[str]:
    """Names of models in `{"data": [{"id": ...}]}`; BadReplyError for an answer without that list."""
    names = [name_of(item.get("id")) for item in listed(data, "data")]
    return [name for name in names if name]


def count(data: Mapping[str, Any], name: str) -> int | None:
    """A token count, None when it is missing, null, no whole number, negative or beyond belief."""
    value = data.get(name)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS_BELIEVED
    return value if is_count else None


def checked_usage(usage: Usage) -> Usage | None:
    """The usage, or None when its figures contradict each other or say nothing; half a usage is a lower bound."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    if not usage.input_tokens and not usage.output_tokens:
        # No prompt has no tokens: servers that do not count report 0.
        return None
    parts = [usage.cached_input_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens]
    is_input_wrong = usage.input_tokens is not None and sum(p or 0 for p in parts) > usage.input_tokens
    is_output_wrong = usage.output_tokens is not None and (usage.reasoning_tokens or 0) > usage.output_tokens
    if is_input_wrong or is_output_wrong:
        return None
    is_half = usage.input_tokens is None or usage.output_tokens is None
    return replace(usage, is_lower_bound=True) if is_half else usage


def blocked(reason: object) -> ContentPolicyError:
    """The error for a prompt that the provider refused; it is returned, not raised."""
    # Capitals only: whatever else stands there may be a key.
    shown = reason if isinstance(reason, str) and re.fullmatch("[A-Z_]{1,40}", reason) else "unnamed"
    return ContentPolicyError(f"The provider refused the prompt (reason: {shown}).")


def stopped(reason: str) -> dict[str, Any]:
    """The error object for an answer that its upstream gave up in the middle."""
    return {"error": {"message": f"The model stopped before the end (reason: {reason[:60]})."}}
