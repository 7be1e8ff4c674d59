"""What is asked of a model, what comes back, and what is kept of every attempt?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, get_args

from core.gateway.errors import GatewayError

Role = Literal["system", "user", "assistant"]
Outcome = Literal["ok", "partial", "error", "cancelled"]
UsageSource = Literal["provider", "estimate", "unknown"]
FinishReason = Literal["stop", "length", "content_filter", "tool_calls", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of the conversation, as plain text. Raises ValueError naming the field for another role or no text."""

    role: Role
    content: str

    def __post_init__(self) -> None:
        if self.role not in get_args(Role):
            raise ValueError(f"role is {self.role!r}: give one of {', '.join(get_args(Role))}.")
        if not isinstance(self.content, str):
            raise ValueError(f"content is a {type(self.content).__name__}: give text.")

    @classmethod
    def of(cls, value: Message | Mapping[str, str]) -> Message:
        """A message from itself or from `{"role": ..., "content": ...}`; ValueError names the missing field."""
        if isinstance(value, Message):
            return value
        if not isinstance(value, Mapping) or not {"role", "content"} <= set(value):
            raise ValueError('messages: give each as {"role": "user", "content": "..."}.')
        return cls(role=value["role"], content=value["content"])  # type: ignore[arg-type]  # checked when built


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One prompt. `messages` takes Message values or plain dicts.

    `max_output_tokens` from 1, `temperature` 0..2, `top_p` 0..1; None leaves the choice to the model.
    `session_id`, `user_id` and `task` are labels of the caller for spending caps and the log: they are never sent.
    Raises ValueError naming the field, also for no message at all.
    """

    messages: Sequence[Message | Mapping[str, str]] = field(repr=False)
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    session_id: str = ""
    user_id: str = ""
    task: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.messages, str | Mapping) or not self.messages:
            raise ValueError("messages: give a list with at least one message.")
        object.__setattr__(self, "messages", tuple(Message.of(m) for m in self.messages))
        if self.max_output_tokens is not None and self.max_output_tokens < 1:
            raise ValueError(f"max_output_tokens is {self.max_output_tokens}: give 1 or more.")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise ValueError(f"temperature is {self.temperature}: give a number from 0 to 2.")
        if self.top_p is not None and not 0 <= self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}: give a number from 0 to 1.")

    @property
    def turns(self) -> tuple[Message, ...]:
        """The messages as values, whatever they were given as."""
        return tuple(Message.of(m) for m in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one attempt. `input_tokens` includes cached and cache-written ones; `output_tokens` the reasoning.

    None is unknown, never 0. `source` says who counted: the provider, or an estimate of ours. `is_lower_bound` says
    that a part was not counted, or not to its end.
    """

    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    source: UsageSource = "provider"
    is_lower_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to one endpoint, finished. Holds neither prompt nor key.

    `attempt_number` counts from 1 within the call. `pico_usd` None is unknown; 0 is known to be free (nothing was
    sent, or the request was turned away). `is_lower_bound` marks a cost that may have been higher: a broken or
    cancelled stream, a usage that leaves figures out, or a request that timed out after it was sent. `ttft_ms` runs
    from the sending to the first non-empty token, `latency_ms` to the end. `credential` is a salted hash, "" without
    a key.
    """

    call_id: str
    attempt_number: int
    started_at: dt.datetime
    endpoint: str
    provider_id: str
    model_asked: str
    outcome: Outcome
    model_reported: str | None = None
    finish_reason: FinishReason | None = None
    error: GatewayError | None = None
    status_code: int | None = None
    usage: Usage | None = None
    pico_usd: int | None = None
    is_lower_bound: bool = False
    ttft_ms: float | None = None
    latency_ms: float = 0.0
    credential: str = ""

    @property
    def error_kind(self) -> str:
        return self.error.kind if self.error else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One whole call with all its attempts, for a log. `pico_usd` sums the known attempts; None when none is known.

    `is_lower_bound` says that the call may have cost more. `request` holds the prompt: log it only when allowed.
    """

    call_id: str
    started_at: dt.datetime
    outcome: Outcome
    attempts: tuple[Attempt, ...]
    request: ChatRequest = field(repr=False)
    error: GatewayError | None = None
    pico_usd: int | None = None
    is_lower_bound: bool = False
    ttft_ms: float | None = None
    latency_ms: float = 0.0

    @property
    def error_kind(self) -> str:
        return self.error.kind if self.error else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: `outcome` "ok" is whole, "partial" was cut off and `error` says by what.

    `usage` is that of the answering attempt (None: unknown), the cost is that of all attempts together.
    """

    call_id: str
    text: str
    outcome: Literal["ok", "partial"]
    endpoint: str
    provider_id: str
    model_asked: str
    model_reported: str | None
    finish_reason: FinishReason | None
    usage: Usage | None
    pico_usd: int | None
    is_lower_bound: bool
    attempts: tuple[Attempt, ...]
    latency_ms: float
    ttft_ms: float | None = None
    reasoning: str = ""
    error: GatewayError | None = None

    @property
    def cost_usd(self) -> Decimal | None:
        """USD of all attempts with a known cost; None when none is known. At least this when `is_lower_bound`."""
        from core.money import usd_from_pico  # late: it brings the whole of Babel

        return None if self.pico_usd is None else usd_from_pico(self.pico_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEvent:
    """A piece of the answer, to be shown at once."""

    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningEvent:
    """A piece of the model's thinking; a later `SwitchedEvent` makes it worthless."""

    text: str
    kind: Literal["reasoning"] = "reasoning"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchedEvent:
    """An attempt failed before any text and the next one begins, at another target or again at the same."""

    failed: Attempt
    endpoint: str
    model: str
    kind: Literal["switched"] = "switched"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneEvent:
    """The end of a stream that showed text; `reply.outcome` may be "partial"."""

    reply: Reply
    kind: Literal["done"] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedEvent:
    """The end of a stream that showed no text; `error.attempts` has what was tried."""

    error: GatewayError
    kind: Literal["failed"] = "failed"


StreamEvent = TextEvent | ReasoningEvent | SwitchedEvent | DoneEvent | FailedEvent
