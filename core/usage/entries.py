"""What does the usage log keep of one call or one attempt?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "partial", "error", "cancelled"]
Origin = Literal["gateway", "demo", "sample", "import"]
UsageBasis = Literal["provider", "estimate", "unknown"]
CostBasis = Literal["billed", "computed", "unknown"]

OUTCOMES: tuple[Outcome, ...] = ("ok", "partial", "error", "cancelled")
WASTED: tuple[Outcome, ...] = ("partial", "error", "cancelled")
"""Outcomes of an attempt whose money bought no whole answer."""

THE_CALL = 0
"""`attempt_number` of the row that stands for the whole call; its attempts are numbered from 1."""

MAX_INT = 2**63 - 1
"""Largest figure of a column: 9.2e18 tokens, or 9.2 million USD of pico-USD in one row."""

NAME_MAX_CHARS = 200
"""An upstream may report any text as its model: longer ones are cut."""

COUNTS = ("request_count", "attempt_count", "failover_count")
TOKENS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)
_FIGURES = (*COUNTS, *TOKENS, "pico_usd", "ttft_ms", "latency_ms")
_NAMES = ("call_id", "provider_id", "endpoint", "model_asked", "model_reported", "processing", "error_kind")


def _storable(text: str) -> str:
    """Cut, and without what a database refuses (NUL, half of a surrogate pair) or a screen cannot show."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:NAME_MAX_CHARS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call (`attempt_number` 0: all its attempts together) or one attempt (from 1).

    `started_ms` is milliseconds since 1970 in UTC. `input_tokens` includes cached and cache-written ones; None is
    unknown, never 0. `request_count` above 1 stands for a bucket of requests in an export: such a row has no spread
    and no latency. `cost_basis` "billed" is the seller's own figure. `is_lower_bound` marks a cost that may have been
    higher (a broken stream, an attempt without usage). Texts are cut to `NAME_MAX_CHARS`. No key, and no prompt
    unless the operator turned that on. Raises ValueError for a figure that is negative or beyond `MAX_INT`.
    """

    call_id: str
    attempt_number: int
    started_ms: int
    outcome: Outcome
    origin: Origin = "gateway"
    import_id: int = 0
    provider_id: str = ""
    endpoint: str = ""
    model_asked: str = ""
    model_reported: str = ""
    processing: str = "standard"
    error_kind: str = ""
    status_code: int | None = None
    request_count: int = 1
    attempt_count: int = 1
    failover_count: int = 0
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage_basis: UsageBasis = "unknown"
    pico_usd: int | None = None
    cost_basis: CostBasis = "unknown"
    is_lower_bound: bool = False
    ttft_ms: int | None = None
    latency_ms: int | None = None
    prompt_text: str | None = None

    def __post_init__(self) -> None:
        for name in _FIGURES:
            value = getattr(self, name)
            if value is not None and not 0 <= value <= MAX_INT:
                raise ValueError(f"{name} is {value!r}: give a whole number from 0 to {MAX_INT}.")
        for name in _NAMES:
            text = getattr(self, name)
            if len(text) > NAME_MAX_CHARS or not text.isprintable():
                object.__setattr__(self, name, _storable(text))

    @property
    def is_call(self) -> bool:
        return self.attempt_number == THE_CALL
