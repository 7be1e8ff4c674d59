"""Which simulated model misbehaves, for whom, and what did the demo upstream see?"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

ENDPOINT_PREFIX = "demo-"
"""Endpoints so named are simulated: the usage log keeps their figures apart from real ones."""

Fault = Literal[
    "none", "rate_limited", "server_error", "overloaded", "hang", "slow_first_token", "cut", "empty",
    "invalid_model", "auth", "quota",
]  # fmt: skip
FAULTS: tuple[Fault, ...] = get_args(Fault)

RETRY_AFTER_S = 20
SLOW_FIRST_TOKEN_S = 6.0
MAX_FAULTS = 10_000
MAX_VISITS = 1_000

Ending = Literal["running", "answered", "refused", "cut", "closed_by_client"]


@dataclass(slots=True)
class Visit:
    """One request the upstream got and how it ended; `sent_pieces` counts the pieces of text sent."""

    model: str
    dialect: str
    is_streamed: bool
    ending: Ending = "running"
    sent_pieces: int = 0


class DemoControl:
    """Faults by model, and a list of the last requests. Safe to use from any thread.

    A fault holds for everybody, or for one key only: each visitor of a shared server has a key of its own, so that
    nobody breaks the models of another. `speed` multiplies the pace: 1 is a human's, larger is faster.
    """

    def __init__(self, *, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError(f"speed is {speed}: give a number above 0.")
        self.speed = speed
        self._lock = threading.Lock()
        self._faults: dict[tuple[str, str], Fault] = {}
        self._visits: deque[Visit] = deque(maxlen=MAX_VISITS)

    def set_fault(self, model: str, fault: str, *, key: str = "") -> None:
        """Makes a model misbehave from the next request on; "none" heals it. ValueError for an unknown fault."""
        if fault not in FAULTS:
            raise ValueError(f"fault is {fault[:40]!r}: give one of {', '.join(FAULTS)}.")
        with self._lock:
            self._faults.pop((key, model), None)
            if fault != "none":
                if len(self._faults) >= MAX_FAULTS:
                    del self._faults[next(iter(self._faults))]
                self._faults[key, model] = fault

    def fault(self, model: str, *, key: str = "") -> Fault:
        """What is wrong with a model for the holder of this key."""
        with self._lock:
            return self._faults.get((key, model)) or self._faults.get(("", model)) or "none"

    def faults(self, *, key: str = "") -> Mapping[str, Fault]:
        """The faults that were set for this key alone."""
        with self._lock:
            return {model: fault for (owner, model), fault in self._faults.items() if owner == key}

    def heal(self, *, key: str = "") -> None:
        """Takes back every fault of this key."""
        with self._lock:
            for place in [place for place in self._faults if place[0] == key]:
                del self._faults[place]

    def begin(self, visit: Visit) -> None:
        """Notes a request."""
        with self._lock:
            self._visits.append(visit)

    def visits(self) -> tuple[Visit, ...]:
        """The last requests, oldest first."""
        with self._lock:
            return tuple(self._visits)
