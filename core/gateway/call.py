"""How does one call go from target to target until there is an answer or one clear reason?"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.gateway import errors as e
from core.gateway.attempt import Sending
from core.gateway.breaker import Verdict
from core.gateway.chat import Attempt, CallRecord, ChatRequest, Outcome, Reply, SwitchedEvent
from core.gateway.chooser import Chooser, GiveUp, Go
from core.gateway.desk import Desk
from core.gateway.hearing import Emit, Hearing
from core.gateway.routes import AnyTarget, Route


@dataclass(slots=True, kw_only=True)
class Call:
    """One call. `run` returns a Reply or raises a GatewayError that carries the attempts."""

    desk: Desk
    request: ChatRequest
    targets: Sequence[AnyTarget]
    emit: Emit | None = None
    call_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    attempts: list[Attempt] = field(default_factory=list)
    _began: float = 0.0

    async def run(self) -> Reply:
        """Always ends within the deadline; every attempt and the call itself are reported to the callbacks."""
        self._began = self.desk.clock()
        outcome: Outcome = "error"
        error: e.GatewayError | None = None
        try:
            reply = await self._run()
            outcome, error = reply.outcome, reply.error
            return reply
        except e.GatewayError as problem:
            error = problem
            error.attempts = tuple(self.attempts)
            raise
        except asyncio.CancelledError:
            outcome, error = "cancelled", e.CancelledError("The call was cancelled.")
            raise
        finally:
            self._report(outcome, error)

    async def _run(self) -> Reply:
        policy = self.desk.policy
        until = asyncio.get_running_loop().time() + policy.deadline_s
        chooser = Chooser(
            routes=self.desk.router.routes(self.targets), policy=policy, gate=self.desk.gate, request=self.request,
            draw=self.desk.draw,
        )  # fmt: skip
        while True:
            left_s = until - asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout_at(until):
                    step = await chooser.next_step(left_s, len(self.attempts))
            except TimeoutError:
                step = await chooser.next_step(0.0, len(self.attempts))
            if isinstance(step, GiveUp):
                raise step.error
            if isinstance(step, Go):
                reply = await self._try(step, chooser, until)
                if reply is not None:
                    return reply
            else:
                await self.desk.sleep(min(step.seconds, max(0.0, left_s)))

    async def _try(self, step: Go, chooser: Chooser, until: float) -> Reply | None:
        """One attempt; None when the next may be made."""
        route = step.route
        hearing = Hearing(redactor=route.redactor, emit=self.emit)
        error: e.GatewayError | None = None
        outcome: Outcome = "cancelled"
        sending: Sending | None = None
        began, started_at = self.desk.clock(), dt.datetime.now(dt.UTC)
        try:
            if self.emit is not None and self.attempts:
                failed = self.attempts[-1]
                await self.emit(SwitchedEvent(failed=failed, endpoint=route.endpoint.name, model=route.model))
            sending = Sending(
                http=self.desk.http, route=route, request=step.ticket.request, policy=self.desk.policy, hearing=hearing,
                until=until, on_token=lambda: self.desk.gate.prove(step.ticket),
            )  # fmt: skip
            await sending.run()
            outcome = "ok"
        except e.GatewayError as problem:
            # It is kept, and shown to callbacks: without the frames, which hold the request.
            error = problem.bare()
            error.endpoint, error.model = route.endpoint.name, route.model
            outcome = "partial" if self._is_kept(hearing, error) else "error"
        except asyncio.CancelledError:
            error = e.CancelledError("The call was cancelled.", endpoint=route.endpoint.name, model=route.model)
            raise
        finally:
            times = (started_at, self.desk.clock() - began)
            attempt = self._attempt(route, hearing, outcome, error, sending, times)
            self.attempts.append(attempt)
            has_opened = self.desk.gate.leave(step.ticket, attempt, self._verdict(outcome, error, sending))
            self.desk.tell_attempt(attempt)
        if outcome in {"ok", "partial"}:
            return self._reply(hearing, attempt)
        assert error is not None  # noqa: S101  # an attempt that is neither ok nor cancelled has one
        chooser.failed(route, error, has_opened=has_opened)
        return None

    def _is_kept(self, hearing: Hearing, error: e.GatewayError) -> bool:
        """Text that was shown stays; so does an answer the provider's policy cut."""
        return hearing.has_shown or (isinstance(error, e.ContentPolicyError) and hearing.has_text)

    def _verdict(self, outcome: Outcome, error: e.GatewayError | None, sending: Sending | None) -> Verdict:
        if outcome == "ok":
            return "success"
        if isinstance(error, e.ModelNotFoundError | e.ForbiddenError | e.RedirectError):
            return "neutral"
        if isinstance(error, e.RateLimitError) and error.retry_after_s is not None:
            return "neutral"
        if isinstance(error, e.DeadlineError):
            # What earlier attempts took of the time, or a slow reader, is not this target's fault.
            return "failure" if sending is not None and sending.had_its_time else "neutral"
        return "failure" if isinstance(error, e.TargetError) else "neutral"

    def _attempt(
        self, route: Route, hearing: Hearing, outcome: Outcome, error: e.GatewayError | None, sending: Sending | None,
        times: tuple[dt.datetime, float],
    ) -> Attempt:  # fmt: skip
        usage = route.dialect.read_usage(hearing.usage)
        started_at, seconds = times
        model = hearing.model or route.model
        pico_usd = self.desk.price_of(route.endpoint, model, usage, started_at)
        is_unbilled = error is not None and error.is_unbilled and not hearing.has_token
        if usage is None and (sending is None or not sending.is_sent or is_unbilled):
            pico_usd = 0
        is_counted = usage is not None and not usage.is_lower_bound and outcome == "ok"
        return Attempt(
            call_id=self.call_id, attempt_number=len(self.attempts) + 1, started_at=started_at,
            endpoint=route.endpoint.name, provider_id=route.endpoint.provider_id, model_asked=route.model,
            outcome=outcome, model_reported=hearing.model, finish_reason=hearing.finish, error=error,
            status_code=sending.status_code if sending else None, usage=usage, pico_usd=pico_usd,
            is_lower_bound=pico_usd is None or (usage is not None and not is_counted),
            ttft_ms=sending.ttft_ms if sending else None, latency_ms=seconds * 1000, credential=route.credential,
        )  # fmt: skip

    def _reply(self, hearing: Hearing, attempt: Attempt) -> Reply:
        pico_usd, is_lower_bound = total_cost(self.attempts)
        return Reply(
            call_id=self.call_id, text="".join(hearing.text), outcome="ok" if attempt.outcome == "ok" else "partial",
            endpoint=attempt.endpoint, provider_id=attempt.provider_id, model_asked=attempt.model_asked,
            model_reported=attempt.model_reported, finish_reason=attempt.finish_reason, usage=attempt.usage,
            pico_usd=pico_usd, is_lower_bound=is_lower_bound, attempts=tuple(self.attempts),
            latency_ms=(self.desk.clock() - self._began) * 1000, ttft_ms=attempt.ttft_ms,
            reasoning="".join(hearing.reasoning), error=attempt.error,
        )  # fmt: skip

    def _report(self, outcome: Outcome, error: e.GatewayError | None) -> None:
        pico_usd, is_lower_bound = total_cost(self.attempts)
        last = self.attempts[-1] if self.attempts else None
        record = CallRecord(
            call_id=self.call_id, started_at=self.started_at, outcome=outcome, attempts=tuple(self.attempts),
            request=self.request, error=error, pico_usd=pico_usd, is_lower_bound=is_lower_bound,
            ttft_ms=last.ttft_ms if last else None, latency_ms=(self.desk.clock() - self._began) * 1000,
        )  # fmt: skip
        self.desk.tell_call(record)


def total_cost(attempts: Sequence[Attempt]) -> tuple[int | None, bool]:
    """Pico-USD over all attempts with a known cost, and whether it may have been more; (None, True) if none is known.

    Nothing sent costs nothing: (0, False).
    """
    known = [a.pico_usd for a in attempts if a.pico_usd is not None]
    answered = [a for a in attempts if a.pico_usd is None or a.pico_usd > 0 or a.outcome in {"ok", "partial"}]
    is_lower_bound = any(a.is_lower_bound for a in attempts)
    if answered and all(a.pico_usd is None for a in answered):
        return None, True
    return sum(known), is_lower_bound
