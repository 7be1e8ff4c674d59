"""May this request go to this target now, as far as breakers, rate limits and spending caps go?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from core.gateway.breaker import Breakers, Pass, Verdict
from core.gateway.budget import Reservation, SpendingCaps
from core.gateway.chat import Attempt, ChatRequest, Usage
from core.gateway.endpoints import Endpoint
from core.gateway.errors import ClientLimitError, LimitError, SpendingCapError, TargetClosedError
from core.gateway.estimate import Experience, estimate_usage
from core.gateway.limits import RateLimits
from core.gateway.routes import Route, Router

_NO_ESTIMATE = Usage(source="estimate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Leave to send one request, with what was set aside for it. `request` is the one to send: under a spending cap
    it always has the limit of output that was set aside.
    """

    route: Route
    leave: Pass
    request: ChatRequest
    usage: Usage
    taken_at: float
    reservation: Reservation | None

    @property
    def tokens(self) -> int:
        return (self.usage.input_tokens or 0) + (self.usage.output_tokens or 0)


@dataclass(slots=True, kw_only=True)
class Gate:
    """Everything that may hold a request back. `price` gives pico-USD of an estimated usage, None when unknown."""

    breakers: Breakers
    limits: RateLimits
    caps: SpendingCaps | None
    router: Router
    price: Callable[[Endpoint, str, Usage], int | None]
    experience: Experience = field(default_factory=Experience)

    async def enter(self, route: Route, request: ChatRequest, *, is_early: bool = False) -> Ticket | LimitError:
        """A ticket to be given back with `leave`, or the reason why not. `is_early`: even while it is left alone."""
        leave = self.breakers.enter(route.key, is_early=is_early)
        if leave is None:
            return self.closed(route) or TargetClosedError("The target is being tried by another call.")
        ticket: Ticket | LimitError | None = None
        try:
            ticket = await self._reserve(route, request, leave)
        finally:
            if not isinstance(ticket, Ticket):
                self.breakers.settle(leave, "neutral")
        if isinstance(ticket, Ticket):
            self.router.enter(route)
        return ticket

    def is_probed(self, route: Route) -> bool:
        """Whether another call is finding out just now if the target works again."""
        return self.breakers.wait_s(route.key) is None

    def closed(self, route: Route) -> TargetClosedError | None:
        """Why the target is left alone for now, None when it is not. While it is probed the time is that of the next
        probe, should this one fail.
        """
        wait_s = self.breakers.wait_s(route.key)
        if wait_s == 0.0:
            return None
        kind = self.breakers.last_kind(route.key) or "failure"
        name = f"{route.endpoint.name}/{route.model}"
        when = "while another call tries it" if wait_s is None else f"for another {wait_s:.1f} s"
        return TargetClosedError(
            f"{name} is left alone {when} (last: {kind}).", endpoint=route.endpoint.name, model=route.model,
            retry_after_s=self.breakers.open_s if wait_s is None else wait_s,
        )  # fmt: skip

    def prove(self, ticket: Ticket) -> None:
        """The answer has begun: whoever waits for a probe need not wait for its end."""
        self.breakers.prove(ticket.leave)

    def leave(self, ticket: Ticket, attempt: Attempt, verdict: Verdict) -> bool:
        """Settle what `enter` set aside; True when this attempt made the target be left alone.

        A cost that is unknown, or known in part, counts as the whole of it: it may have been billed.
        """
        error = attempt.error
        wish_s = error.retry_after_s if error is not None and error.scope == "target" else None
        has_opened = self.breakers.settle(ticket.leave, verdict, kind=attempt.error_kind, closed_for_s=wish_s)
        self.router.leave(ticket.route)
        if ticket.reservation is not None:
            self._settle_money(ticket, ticket.reservation, attempt)
        usage = attempt.usage
        if usage is not None and usage.input_tokens is not None and usage.output_tokens is not None:
            used = usage.input_tokens + usage.output_tokens
            self.limits.settle(ticket.route, ticket.tokens, used, ticket.taken_at)
        elif attempt.pico_usd == 0:
            self.limits.settle(ticket.route, ticket.tokens, 0, ticket.taken_at)
        return has_opened

    def _settle_money(self, ticket: Ticket, reservation: Reservation, attempt: Attempt) -> None:
        reserved, spent, key = reservation.pico_usd, attempt.pico_usd, ticket.route.key
        if spent is None or attempt.is_lower_bound:
            spent = max(spent or 0, reserved)
        if self.caps is not None:
            self.caps.settle(reservation, spent)
        written = attempt.usage.output_tokens if attempt.usage else None
        is_explained = self.experience.learn_usage(key, ticket.usage.output_tokens or 0, written or 0)
        if not is_explained:
            self.experience.learn_cost(key, reserved, spent)

    async def _reserve(self, route: Route, request: ChatRequest, leave: Pass) -> Ticket | LimitError:
        usage = self._estimate(route, request)
        reservation = None if self.caps is None else self._set_aside(self.caps, route, request, usage)
        if isinstance(reservation, LimitError):
            return reservation
        ticket = Ticket(
            route=route, leave=leave, usage=usage, reservation=reservation, taken_at=time.time(),
            request=request if reservation is None else _limited(request, usage),
        )  # fmt: skip
        wait_s: float | None = None
        is_in = False
        try:
            wait_s = await self.limits.take(route, ticket.tokens)
            is_in = wait_s is None
        finally:
            if not is_in and reservation is not None and self.caps is not None:
                self.caps.settle(reservation, 0)
        if wait_s is None:
            return ticket
        return ClientLimitError(
            f"The own limit for {route.endpoint.name}/{route.model} is reached for another {wait_s:.0f} s.",
            endpoint=route.endpoint.name, model=route.model, retry_after_s=wait_s,
        )  # fmt: skip

    def _estimate(self, route: Route, request: ChatRequest) -> Usage:
        """What the request may take at most; nothing when nobody asks."""
        if self.caps is None and route.endpoint.tokens_per_min is None:
            return _NO_ESTIMATE
        return estimate_usage(request, is_reasoning=route.is_reasoning)

    def _set_aside(
        self, caps: SpendingCaps, route: Route, request: ChatRequest, usage: Usage
    ) -> Reservation | SpendingCapError | None:
        """Money for the usage, more where the upstream took more before; None without a price and without a cap."""
        who = {"session_id": request.session_id, "user_id": request.user_id}
        pico_usd = self.price(route.endpoint, route.model, self.experience.usage(route.key, usage))
        if pico_usd is None and not caps.is_capped(**who):
            return None
        if pico_usd is None:
            return SpendingCapError(f"No price is known for {route.model}, so the spending cap could not be held.")
        pico_usd = self.experience.cost(route.key, pico_usd)
        try:
            return caps.reserve(pico_usd, **who)
        except SpendingCapError as error:
            return error.bare()


def _limited(request: ChatRequest, usage: Usage) -> ChatRequest:
    """The request with a limit of output: without one no cap could be held."""
    return request if request.max_output_tokens else replace(request, max_output_tokens=usage.output_tokens)
