"""After what has happened so far: which target now, how long to wait, or give up why?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from core.gateway import errors as e
from core.gateway.chat import ChatRequest
from core.gateway.gate import Gate, Ticket
from core.gateway.policy import Policy
from core.gateway.routes import Route

# The same request to the same target would fail in the same way.
_HOPELESS = (e.ModelNotFoundError, e.ForbiddenError, e.RedirectError, e.TlsError, e.ReplyTooLargeError)
PROBE_LOOK_S = 0.05
"""How often a call looks whether another call's probe has ended."""

Name = tuple[str, str]
"""Endpoint and model of a target. Two targets with one breaker are two: the caller listed both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Send to this target now; the ticket has to be given back to the gate."""

    route: Route
    ticket: Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Ask again after so many seconds, which fit the deadline."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Nothing is left that could be tried in time; the error is the reason the caller gets."""

    error: e.GatewayError


@dataclass(slots=True, kw_only=True)
class Chooser:
    """Another target first; the same one again only when no other is left, after a wait that fits the deadline."""

    routes: Sequence[Route]
    policy: Policy
    gate: Gate
    request: ChatRequest
    draw: Callable[[], float]
    _retries: dict[Name, int] = field(default_factory=dict)
    _backoff_s: dict[Name, float] = field(default_factory=dict)
    _dropped: set[Name] = field(default_factory=set)
    _dead_credentials: set[str] = field(default_factory=set)
    _opened: set[Name] = field(default_factory=set)
    _probe_waited_s: float = 0.0
    _last: e.GatewayError | None = None

    def failed(self, route: Route, error: e.GatewayError, *, has_opened: bool = False) -> None:
        """Learn from an attempt that showed nothing. `has_opened`: its failure made the target be left alone."""
        self._last = error
        if has_opened:
            self._opened.update(r.name for r in self.routes if r.key == route.key)
        if error.scope == "credential":
            self._dead_credentials.add(route.credential_place)
        if isinstance(error, _HOPELESS) and not isinstance(error, e.TlsInterruptedError):
            self._dropped.add(route.name)
        if error.scope in {"request", "call"}:
            self._dropped.update(r.name for r in self.routes)
        tries = self._retries.get(route.name, 0)
        self._retries[route.name] = tries + 1
        self._backoff_s[route.name] = self.policy.backoff_s(tries, self.draw())

    async def next_step(self, left_s: float, attempt_count: int) -> Go | Wait | GiveUp:
        """`left_s` seconds remain of the deadline, `attempt_count` attempts have been made."""
        alive = [r for r in self.routes if r.name not in self._dropped and not self._is_dead(r)]
        if left_s <= 0 and (alive or self._last is None):
            return GiveUp(error=e.DeadlineError("The call ran into its deadline."))
        if attempt_count >= self.policy.max_attempts:
            return self._give_up([closed for r in alive if (closed := self.gate.closed(r)) is not None])
        refusals: dict[Name, e.LimitError] = {}
        for route in alive:
            if route.name in self._retries:
                continue
            entered = await self.gate.enter(route, self.request)
            if isinstance(entered, Ticket):
                return Go(route=route, ticket=entered)
            refusals[route.name] = entered
            if isinstance(entered, e.SpendingCapError):
                self._dropped.add(route.name)
        return await self._again(alive, refusals, left_s)

    async def _again(
        self, alive: Sequence[Route], refusals: dict[Name, e.LimitError], left_s: float
    ) -> Go | Wait | GiveUp:
        """No untried target is open: the one that can be tried soonest, if that is soon enough."""
        waits: list[tuple[float, Route]] = []
        for route in alive:
            closed = refusals.get(route.name) or self.gate.closed(route)
            if closed is not None:
                refusals[route.name] = closed
            wait_s = self._wait_s(route, closed, left_s)
            if wait_s is not None and wait_s < left_s:
                waits.append((wait_s, route))
        if not waits:
            return self._give_up(refusals.values())
        seconds, route = min(waits, key=lambda pair: pair[0])
        if seconds > 0:
            # Slept once: when it is over, the target may be tried without another wait of ours.
            self._backoff_s = {name: max(0.0, s - seconds) for name, s in self._backoff_s.items()}
            self._probe_waited_s += seconds if self.gate.is_probed(route) else 0.0
            return Wait(seconds=seconds)
        entered = await self.gate.enter(route, self.request, is_early=route.name in self._opened)
        if isinstance(entered, Ticket):
            return Go(route=route, ticket=entered)
        self._dropped.add(route.name)
        refusals[route.name] = entered
        return self._give_up(refusals.values())

    def _wait_s(self, route: Route, closed: e.LimitError | None, left_s: float) -> float | None:
        """Seconds until the target may be tried, None when they are too many.

        The word of the upstream and a limit of ours are waited for as long as they fit the deadline, a target that
        failed too often for as long as the policy says. The call whose own failure closed it need not wait for that.
        """
        backoff_s = self._backoff_s.get(route.name, 0.0)
        if closed is None:
            return backoff_s
        if isinstance(closed, e.SpendingCapError):
            return None
        if isinstance(closed, e.TargetClosedError) and self.gate.is_probed(route):
            return PROBE_LOOK_S if self._probe_waited_s < self.policy.breaker_wait_max_s else None
        if isinstance(closed, e.TargetClosedError) and not self.gate.breakers.is_wish(route.key):
            if route.name in self._opened:
                return backoff_s
            left_s = min(left_s, self.policy.breaker_wait_max_s)
        wait_s = closed.retry_after_s
        return max(backoff_s, wait_s) if wait_s is not None and wait_s < left_s else None

    def _is_dead(self, route: Route) -> bool:
        return route.credential_place in self._dead_credentials

    def _give_up(self, refusals: Iterable[e.LimitError]) -> GiveUp:
        """The last failure is the reason; without one, that of the target that opens first."""
        closed = list(refusals)
        soonest = min((c.retry_after_s for c in closed if c.retry_after_s is not None), default=None)
        error = self._last
        if error is None:
            error = min(closed, key=lambda c: float("inf") if c.retry_after_s is None else c.retry_after_s)
        elif error.retry_after_s is None and error.scope == "target":
            error.retry_after_s = soonest
        return GiveUp(error=error)
