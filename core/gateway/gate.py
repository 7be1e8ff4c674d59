"""May this request go to this target now, as far as breakers, rate limits and spending caps go?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.gateway.breaker import Breakers, Pass, Verdict
from core.gateway.budget import Reservation, SpendingCaps
from core.gateway.chat import Attempt, ChatRequest, Usage
from core.gateway.endpoints import Endpoint
from core.gateway.errors import ClientLimitError, LimitError, SpendingCapError, TargetClosedError
from core.gateway.estimate import estimate_usage
from core.gateway.limits import RateLimits
from core.gateway.routes import Route, Router


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Leave to send one request, with what was set aside for it."""

    route: Route
    leave: Pass
    tokens: int
    reservation: Reservation | None


@dataclass(slots=True, kw_only=True)
class Gate:
    """Everything that may hold a request back. `price` gives pico-USD of an estimated usage, None when unknown."""

    breakers: Breakers
    limits: RateLimits
    caps: SpendingCaps | None
    router: Router
    price: Callable[[Endpoint, str, Usage], int | None]

    async def enter(self, route: Route, request: ChatRequest) -> Ticket | LimitError:
        """A ticket to be given back with `leave`, or the reason why not."""
        leave = self.breakers.enter(route.key)
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

    def closed(self, route: Route) -> TargetClosedError | None:
        """Why the target is left alone for now, None when it is not."""
        wait_s = self.breakers.wait_s(route.key)
        if wait_s == 0.0:
            return None
        kind = self.breakers.last_kind(route.key) or "failure"
        name = f"{route.endpoint.name}/{route.model}"
        when = "while another call tries it" if wait_s is None else f"for another {wait_s:.1f} s"
        return TargetClosedError(
            f"{name} is left alone {when} (last: {kind}).", endpoint=route.endpoint.name, model=route.model,
            retry_after_s=wait_s,
        )  # fmt: skip

    def leave(self, ticket: Ticket, attempt: Attempt, verdict: Verdict) -> None:
        """Settle what `enter` set aside. An unknown cost counts as the whole of it: it may have been billed."""
        error = attempt.error
        wish_s = error.retry_after_s if error is not None and error.scope == "target" else None
        self.breakers.settle(ticket.leave, verdict, kind=attempt.error_kind, closed_for_s=wish_s)
        self.router.leave(ticket.route)
        if ticket.reservation is not None and self.caps is not None:
            spent = ticket.reservation.pico_usd if attempt.pico_usd is None else attempt.pico_usd
            self.caps.settle(ticket.reservation, spent)
        usage = attempt.usage
        if usage is not None and usage.input_tokens is not None and usage.output_tokens is not None:
            self.limits.settle(ticket.route, ticket.tokens, usage.input_tokens + usage.output_tokens)
        elif attempt.pico_usd == 0:
            self.limits.settle(ticket.route, ticket.tokens, 0)

    async def _reserve(self, route: Route, request: ChatRequest, leave: Pass) -> Ticket | LimitError:
        needs_estimate = self.caps is not None or route.endpoint.tokens_per_min is not None
        usage = estimate_usage(request) if needs_estimate else Usage(source="estimate")
        tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
        reservation: Reservation | None = None
        if self.caps is not None:
            pico_usd = self.price(route.endpoint, route.model, usage)
            if pico_usd is None:
                return SpendingCapError(f"No price is known for {route.model}, so the spending cap could not be held.")
            try:
                reservation = self.caps.reserve(pico_usd, session_id=request.session_id, user_id=request.user_id)
            except SpendingCapError as error:
                return error
        wait_s: float | None = None
        is_in = False
        try:
            wait_s = await self.limits.take(route, tokens)
            is_in = wait_s is None
        finally:
            if not is_in and reservation is not None and self.caps is not None:
                self.caps.settle(reservation, 0)
        if wait_s is not None:
            return ClientLimitError(
                f"The own limit for {route.endpoint.name}/{route.model} is reached for another {wait_s:.0f} s.",
                endpoint=route.endpoint.name, model=route.model, retry_after_s=wait_s,
            )  # fmt: skip
        return Ticket(route=route, leave=leave, tokens=tokens, reservation=reservation)
