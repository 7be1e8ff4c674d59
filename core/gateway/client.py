"""How does a program ask: one answer, a stream, or what an endpoint offers?"""

from __future__ import annotations

import asyncio
import random
import time
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.gateway.breaker import Breakers, BreakerState
from core.gateway.budget import SpendingCaps
from core.gateway.call import Call
from core.gateway.chat import Attempt, CallRecord, ChatRequest, Reply, StreamEvent, Usage
from core.gateway.check import CheckResult, Step, check
from core.gateway.desk import Desk, Price, price_of
from core.gateway.endpoints import Endpoint, Target
from core.gateway.estimate import estimate_usage
from core.gateway.gate import Gate
from core.gateway.http import Http, Transport
from core.gateway.limits import REDIS_TIMEOUT_S, RateLimits
from core.gateway.listing import list_models
from core.gateway.optimizer import RankedTarget, cheapest_first
from core.gateway.policy import Policy
from core.gateway.routes import AnyTarget, Router
from core.gateway.runtime import Runtime
from core.gateway.stream import Stream

GRACE_S = 5.0
"""How much later than its deadline a call is given up from outside; never needed unless the loop hangs."""

REDIS_SHARE = 0.25
"""How much of its deadline a call may wait for a Redis that does not answer."""


class Gateway:
    """Sends prompts to chains of targets. May be shared by any number of threads; make one per process.

    `on_attempt` and `on_call` get every finished attempt and call, `price` tells the cost: they run on the gateway's
    thread and must return quickly; what they raise is logged and goes no further. `caps` bounds spending, `redis_url`
    lets several processes count rate limits together. `trust_env` lets proxies of the environment in. The thread and
    the connections begin with the first call; `close()` cancels what runs and ends them within seconds.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        *,
        policy: Policy | None = None,
        on_attempt: Callable[[Attempt], object] | None = None,
        on_call: Callable[[CallRecord], object] | None = None,
        price: Price | None = None,
        caps: SpendingCaps | None = None,
        redis_url: str | None = None,
        trust_env: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
        transport: Transport | None = None,
    ) -> None:
        policy = policy or Policy()
        draw = (rng or random.Random()).random
        router = Router(endpoints, draw=draw)
        breakers = Breakers(failures=policy.breaker_failures, open_s=policy.breaker_open_s, clock=clock)
        limits = RateLimits(redis_url=redis_url, patience_s=min(REDIS_TIMEOUT_S, REDIS_SHARE * policy.deadline_s))
        gate = Gate(
            breakers=breakers, limits=limits, caps=caps, router=router,
            price=lambda endpoint, model, usage: price_of(price, endpoint, model, usage, datetime.now(UTC)),
        )  # fmt: skip
        http = Http(connect_timeout_s=policy.connect_timeout_s, trust_env=trust_env, transport=transport)
        self._desk = Desk(
            policy=policy, router=router, http=http, gate=gate, clock=clock, sleep=sleep, draw=draw, price=price,
            on_attempt=on_attempt, on_call=on_call,
        )  # fmt: skip
        self._runtime = Runtime(http.close)
        # Runs when the gateway is forgotten or the program ends without `close()`.
        self._finalizer = weakref.finalize(self, self._runtime.close)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where it can send prompts, in the order they were given."""
        return tuple(self._desk.router.endpoints.values())

    @property
    def policy(self) -> Policy:
        """The limits of every call."""
        return self._desk.policy

    def chat(self, request: ChatRequest, targets: Sequence[AnyTarget]) -> Reply:
        """The answer of the first target that gives one. Raises a GatewayError when none does."""
        call = Call(desk=self._desk, request=request, targets=targets)
        return self._runtime.run(call.run(), self._desk.policy.deadline_s + GRACE_S)

    def stream(self, request: ChatRequest, targets: Sequence[AnyTarget]) -> Stream:
        """Events as they come; every fault ends in a FailedEvent, or a DoneEvent that is "partial"."""

        def start(emit: Callable[[StreamEvent], Any]) -> Any:
            return Call(desk=self._desk, request=request, targets=targets, emit=emit).run()

        return Stream(self._runtime, start, self._desk.policy.deadline_s + GRACE_S)

    def cheapest_first(self, request: ChatRequest, allowed: Mapping[str, Sequence[Target]]) -> tuple[RankedTarget, ...]:
        """The targets allowed for `request.task`, cheapest first by this gateway's prices: give them to `chat` so.

        Raises ConfigurationError for a task nothing is allowed for, or for a target that cannot be.
        """
        desk, now = self._desk, datetime.now(UTC)
        routes = {target: desk.router.route(target) for target in allowed.get(request.task, ())}

        def price(target: Target, _usage: Usage) -> int | None:
            # A model that thinks first writes more, so each has an estimate of its own.
            usage = estimate_usage(request, is_reasoning=routes[target].is_reasoning)
            return desk.price_of(routes[target].endpoint, target.model, usage, now)

        return cheapest_first(request.task, allowed, price=price, usage=estimate_usage(request))

    def models(self, endpoint: str) -> list[str]:
        """Names of the models an endpoint offers, sorted. Raises a GatewayError when it does not say."""
        return self._runtime.run(list_models(self._desk, endpoint), self._desk.policy.deadline_s + GRACE_S)

    def check(self, endpoint: str, model: str, *, tell: Callable[[Step], object] = lambda _: None) -> CheckResult:
        """Walks DNS, TCP, TLS, key, list of models and one short call, and says where it stops.

        Raises UnknownEndpointError. Every step has a time limit; the call is recorded and may cost a little. `tell`
        hears of each step on the gateway's own thread: it must return at once.
        """
        return self._runtime.run(check(self._desk, endpoint, model, tell), self._desk.policy.deadline_s + GRACE_S)

    def breaker_state(self, target: Target) -> BreakerState:
        """Whether a target is "closed" (in use), "open" (left alone) or "half_open" (one probe may go)."""
        return self._desk.gate.breakers.state(self._desk.router.route(target).key)

    def reopen(self, target: Target) -> None:
        """Forget a target's failures and the time it asked for, however long: the next call tries it at once."""
        self._desk.gate.breakers.reopen(self._desk.router.route(target).key)

    def close(self) -> None:
        """Cancel every call and end the thread and the connections. May be called again."""
        self._finalizer()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
