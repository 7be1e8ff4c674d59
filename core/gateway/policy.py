"""How long may each step take, how often may it be tried, and what comes after a failure?"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

HEADERS_TIMEOUT_S = 15.0
FIRST_TOKEN_TIMEOUT_S = 60.0
REASONING_FIRST_TOKEN_TIMEOUT_S = 120.0
_MAY_BE_ZERO = frozenset({"backoff_base_s", "backoff_cap_s", "tail_timeout_s", "breaker_wait_max_s", "breaker_open_s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All limits of a call; seconds and bytes.

    `deadline_s` bounds everything together. `headers_timeout_s` bounds the wait for the first header of a stream; an
    answer that is not streamed sends none before it is written in full, so there the default gives way to the
    first-token limit, while a value of your own holds for both. `idle_timeout_s` bounds the gap between two events
    after the first token. `max_body_bytes` and `max_event_bytes` are counted after decompression. `max_attempts`
    counts all attempts of a call. The n-th wait before the same target is tried again is drawn evenly from 0 to
    min(`backoff_cap_s`, `backoff_base_s` * 2**n). A target that failed `breaker_failures` times in a row is left out
    for `breaker_open_s`; when no other is left a call waits for it, or for another call's probe of it, at most
    `breaker_wait_max_s`, then fails at once with the time of the next try. The call whose failure
    brought it to that goes on within its own limits when it has nothing else to try. `tail_timeout_s` is how long a
    finished stream may take to report its usage. Raises ValueError naming the field that is no finite number above 0
    (waits and `breaker_open_s` may be 0).
    """

    deadline_s: float = 120.0
    connect_timeout_s: float = 5.0
    headers_timeout_s: float = HEADERS_TIMEOUT_S
    first_token_timeout_s: float = FIRST_TOKEN_TIMEOUT_S
    reasoning_first_token_timeout_s: float = REASONING_FIRST_TOKEN_TIMEOUT_S
    idle_timeout_s: float = 30.0
    tail_timeout_s: float = 2.0
    max_attempts: int = 6
    max_body_bytes: int = 8 * 2**20
    max_event_bytes: int = 2**20
    breaker_failures: int = 3
    breaker_open_s: float = 30.0
    breaker_wait_max_s: float = 5.0
    backoff_base_s: float = 0.5
    backoff_cap_s: float = 8.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            may_be_zero = item.name in _MAY_BE_ZERO
            if not is_number or value < 0 or (value == 0 and not may_be_zero):
                wanted = "from 0 on" if may_be_zero else "above 0"
                raise ValueError(f"{item.name} is {value!r}: give a finite number {wanted}.")

    def token_timeout_s(self, *, is_reasoning: bool) -> float:
        """Seconds from the sending to the first token, or to the whole of an answer that is not streamed."""
        if not is_reasoning:
            return self.first_token_timeout_s
        # Whoever tightens the ordinary limit means the reasoning models as well.
        has_default = self.reasoning_first_token_timeout_s == REASONING_FIRST_TOKEN_TIMEOUT_S
        is_tightened = self.first_token_timeout_s < FIRST_TOKEN_TIMEOUT_S
        return self.first_token_timeout_s if has_default and is_tightened else self.reasoning_first_token_timeout_s

    def header_timeout_s(self, *, is_streamed: bool, is_reasoning: bool) -> float:
        """Seconds from the sending to the first header."""
        limit = self.token_timeout_s(is_reasoning=is_reasoning)
        if is_streamed or self.headers_timeout_s != HEADERS_TIMEOUT_S:
            return min(limit, self.headers_timeout_s)
        return limit

    def backoff_s(self, retry_number: int, draw: float) -> float:
        """Seconds before a same-target retry, counted from 0; `draw` is a random number from 0 to 1 (full jitter)."""
        return draw * min(self.backoff_cap_s, self.backoff_base_s * 2.0 ** min(retry_number, 60))
