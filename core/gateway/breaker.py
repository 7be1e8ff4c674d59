"""Which targets are left alone for now, because they failed or asked for it?"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]
Verdict = Literal["success", "failure", "neutral"]

MAX_TRACKED = 10_000
"""Targets remembered at most; the oldest healthy ones are forgotten first."""


@dataclass(slots=True)
class _Target:
    """`is_broken`: it failed too often, and only a probe that succeeds ends that. `is_wish`: the upstream itself named
    the time in `open_until`.
    """

    failures: int = 0
    open_until: float = 0.0
    is_broken: bool = False
    is_wish: bool = False
    probe: Pass | None = None
    last_kind: str = ""


@dataclass(slots=True, frozen=True, eq=False)
class Pass:
    """Leave to send one request; hand it back with `Breakers.settle`."""

    key: Hashable


class Breakers:
    """One breaker per key: closed -> open until a time -> half-open with a single probe -> closed or open again.

    A target that is only left alone because it asked for it is closed again when its time has come, without a probe.
    All methods are called from one thread (the gateway's loop), so there is no lock. Times are `clock()` seconds.
    """

    def __init__(self, *, failures: int, open_s: float, clock: Callable[[], float]) -> None:
        self._failures = failures
        self._open_s = open_s
        self._clock = clock
        self._targets: dict[Hashable, _Target] = {}

    @property
    def open_s(self) -> float:
        """How long a target is left alone that failed too often."""
        return self._open_s

    def state(self, key: Hashable) -> BreakerState:
        """Whether it is "closed" (in use), "open" (left alone) or "half_open" (its time has come, one probe may go)."""
        target = self._targets.get(key)
        if target is None or not self._is_open(target):
            return "closed"
        return "open" if self._clock() < target.open_until else "half_open"

    def last_kind(self, key: Hashable) -> str:
        """The kind of the failure that opened it."""
        target = self._targets.get(key)
        return target.last_kind if target else ""

    def is_wish(self, key: Hashable) -> bool:
        """Whether it is closed because the upstream named a time, not because of its failures."""
        target = self._targets.get(key)
        return target is not None and target.is_wish

    def wait_s(self, key: Hashable) -> float | None:
        """Seconds until a request may be tried: 0 now, None while somebody else's probe is under way."""
        target = self._targets.get(key)
        if target is None or not self._is_open(target):
            return 0.0
        left = target.open_until - self._clock()
        if left > 0:
            return left
        return None if target.probe else 0.0

    def enter(self, key: Hashable, *, is_early: bool = False) -> Pass | None:
        """Leave to send, or None when the target is to be left alone. `is_early`: probe it before its time."""
        target = self._targets.get(key)
        leave = Pass(key)
        if target is None or not self._is_open(target):
            return leave
        if target.probe or (not is_early and self._clock() < target.open_until):
            return None
        if target.is_broken:
            target.probe = leave
        return leave

    def prove(self, leave: Pass) -> None:
        """A probe's answer has begun, so the target works: others need not wait until it ends. Should it break off
        after all, that one failure opens the target again.
        """
        target = self._targets.get(leave.key)
        if target is not None and target.probe is leave:
            self._mend(target, failures=self._failures - 1)

    def settle(self, leave: Pass, verdict: Verdict, *, kind: str = "", closed_for_s: float | None = None) -> bool:
        """Report how a request went; True when its failure opened a target that was closed.

        `closed_for_s` is the upstream's own wish: the later of two times wins.
        """
        target = self._targets.get(leave.key)
        if target is None:
            if verdict != "failure" and closed_for_s is None:
                return False
            target = self._add(leave.key)
        was_open, is_probe = self._is_open(target), target.probe is leave
        if is_probe:
            target.probe = None
        if verdict == "success" and is_probe:
            self._mend(target)
        elif verdict == "success" and not target.is_broken:
            # A late success of a request sent before the target broke does not close it: only the probe does.
            target.failures = 0
        elif verdict == "failure":
            target.failures += 1
            target.last_kind = kind
            if is_probe or target.failures >= self._failures:
                target.is_broken = True
                self._leave_alone(target, self._open_s, is_wish=False)
        if closed_for_s is not None:
            target.last_kind = kind
            self._leave_alone(target, closed_for_s, is_wish=True)
        return self._is_open(target) and not was_open

    def reopen(self, key: Hashable) -> None:
        """Forget everything about a target. A single step: any thread may take it."""
        self._targets.pop(key, None)

    def _is_open(self, target: _Target) -> bool:
        return target.is_broken or self._clock() < target.open_until

    def _leave_alone(self, target: _Target, seconds: float, *, is_wish: bool) -> None:
        until = self._clock() + seconds
        if until >= target.open_until:
            target.open_until, target.is_wish = until, is_wish

    def _mend(self, target: _Target, failures: int = 0) -> None:
        target.failures, target.open_until, target.probe = failures, 0.0, None
        target.is_broken, target.is_wish, target.last_kind = False, False, ""

    def _add(self, key: Hashable) -> _Target:
        if len(self._targets) >= MAX_TRACKED:
            oldest = next((k for k, t in self._targets.items() if not self._is_open(t)), next(iter(self._targets)))
            del self._targets[oldest]
        return self._targets.setdefault(key, _Target())
