"""After what has happened so far: which target now, how long to wait, or give up why?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.gateway import errors as e
from core.gateway.chat import ChatRequest
from core.gateway.gate import Gate, Ticket
from core.gateway.policy import Policy
from core.gateway.routes import Route

# The same request to the same target would fail in the same way.
_HOPELESS = (e.ModelNotFoundError, e.ForbiddenError, e.RedirectError, e.TlsError, e.ReplyTooLargeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    route: Route
    ticket: Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    error: e.GatewayError


@dataclass(slots=True, kw_only=True)
class Chooser:
    """Another target first; the same one again only when no other is left, after a wait that fits the deadline."""

    routes: Sequence[Route]
    policy: Policy
    gate: Gate
    request: ChatRequest
    draw: Callable[[], float]
    _retries: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _backoff_s: dict[tuple[str, str, str], float] = field(default_factory=dict)
    _dropped: set[tuple[str, str, str]] = field(default_factory=set)
    _dead_credentials: set[str] = field(default_factory=set)
    _last: e.GatewayError | None = None

    def failed(self, route: Route, error: e.GatewayError) -> None:
        """Learn from an attempt that showed nothing."""
        self._last = error
        if error.scope == "credential":
            self._dead_credentials.add(route.credential)
            self._dropped.add(route.key)
        if isinstance(error, _HOPELESS) or error.scope not in {"target", "credential"}:
            self._dropped.add(route.key)
        if error.scope in {"request", "call"}:
            self._dropped.update(r.key for r in self.routes)
        tries = self._retries.get(route.key, 0)
        self._retries[route.key] = tries + 1
        self._backoff_s[route.key] = self.policy.backoff_s(tries, self.draw())

    async def next_step(self, left_s: float, attempt_count: int) -> Go | Wait | GiveUp:
        """`left_s` seconds remain of the deadline, `attempt_count` attempts have been made."""
        if left_s <= 0:
            return GiveUp(error=e.DeadlineError("The call ran into its deadline."))
        if attempt_count >= self.policy.max_attempts:
            return self._give_up()
        alive = [r for r in self.routes if r.key not in self._dropped and not self._is_dead(r)]
        fresh = [r for r in alive if r.key not in self._retries]
        refusals: dict[tuple[str, str, str], e.LimitError] = {}
        for route in fresh:
            entered = await self.gate.enter(route, self.request)
            if isinstance(entered, Ticket):
                return Go(route=route, ticket=entered)
            refusals[route.key] = entered
            if isinstance(entered, e.SpendingCapError):
                self._dropped.add(route.key)
        return await self._again(alive, refusals, left_s)

    async def _again(
        self, alive: Sequence[Route], refusals: dict[tuple[str, str, str], e.LimitError], left_s: float
    ) -> Go | Wait | GiveUp:
        """No untried target is open: the one that can be tried soonest, if that is soon enough."""
        waits: list[tuple[float, Route]] = []
        for route in alive:
            wait_s = self._backoff_s.get(route.key, 0.0)
            closed = refusals.get(route.key) or self.gate.closed(route)
            if closed is not None:
                refusals[route.key] = closed
                if not self._is_worth(route, closed, left_s):
                    continue
                wait_s = max(wait_s, closed.retry_after_s or 0.0)
            if wait_s < left_s:
                waits.append((wait_s, route))
        if not waits:
            return self._give_up(refusals)
        seconds, route = min(waits, key=lambda pair: pair[0])
        if seconds > 0:
            # Slept once: when it is over, the target may be tried without another wait of ours.
            self._backoff_s = {key: max(0.0, s - seconds) for key, s in self._backoff_s.items()}
            return Wait(seconds=seconds)
        entered = await self.gate.enter(route, self.request)
        if isinstance(entered, Ticket):
            return Go(route=route, ticket=entered)
        self._dropped.add(route.key)
        refusals[route.key] = entered
        return self._give_up(refusals)

    def _is_worth(self, route: Route, closed: e.LimitError, left_s: float) -> bool:
        """Whether to wait for a closed target: as long as its own word, or a limit of ours, fits the deadline."""
        if closed.retry_after_s is None or isinstance(closed, e.SpendingCapError):
            return False
        is_failure = isinstance(closed, e.TargetClosedError) and not self.gate.breakers.is_wish(route.key)
        limit_s = min(left_s, self.policy.breaker_wait_max_s) if is_failure else left_s
        return closed.retry_after_s < limit_s

    def _is_dead(self, route: Route) -> bool:
        return bool(route.credential) and route.credential in self._dead_credentials

    def _give_up(self, refusals: dict[tuple[str, str, str], e.LimitError] | None = None) -> GiveUp:
        """The last failure is the reason; without one, that of the target that opens first."""
        closed = list((refusals or {}).values())
        soonest = min((c.retry_after_s for c in closed if c.retry_after_s is not None), default=None)
        error = self._last
        if error is None:
            error = min(closed, key=lambda c: float("inf") if c.retry_after_s is None else c.retry_after_s)
        elif error.retry_after_s is None and error.scope == "target":
            error.retry_after_s = soonest
        return GiveUp(error=error)
