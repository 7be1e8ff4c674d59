"""Does another request still fit into the requests and tokens per minute we allow ourselves at a target?"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from core.gateway.routes import Route

if TYPE_CHECKING:
    from limits import RateLimitItemPerMinute

WINDOW_S = 60.0


class RateLimits:
    """Counts in this process, or in Redis for several of them. Nothing is imported or opened before the first limit.

    Requests are counted in a moving window, tokens in a fixed one: they are reserved by estimate and settled after.
    """

    def __init__(self, *, redis_url: str | None = None) -> None:
        self._redis_url = redis_url
        self._requests: Any = None
        self._tokens: Any = None

    async def take(self, route: Route, tokens: int) -> float | None:
        """None when the request may go, else the seconds until it may."""
        endpoint = route.endpoint
        if endpoint.requests_per_min is None and endpoint.tokens_per_min is None:
            return None
        if self._redis_url is not None:
            return await asyncio.to_thread(self._take, route, tokens)
        return self._take(route, tokens)

    def settle(self, route: Route, reserved: int, used: int) -> None:
        """Correct the reserved tokens to those really used."""
        limit = route.endpoint.tokens_per_min
        if limit is None or used == reserved:
            return
        item = self._per_minute(limit)
        if self._redis_url is not None:
            asyncio.get_running_loop().run_in_executor(None, self._add, item, route, used - reserved)
        else:
            self._add(item, route, used - reserved)

    def _take(self, route: Route, tokens: int) -> float | None:
        self._open()
        name = self._name(route)
        endpoint = route.endpoint
        if endpoint.tokens_per_min is not None:
            item = self._per_minute(endpoint.tokens_per_min)
            # A request larger than the limit itself goes alone into an empty minute, or it could never go.
            cost = min(tokens, endpoint.tokens_per_min)
            if not self._tokens.hit(item, "tokens", name, cost=cost):
                self._add(item, route, -cost)
                return self._wait_s(self._tokens, item, "tokens", name)
        if endpoint.requests_per_min is not None:
            item = self._per_minute(endpoint.requests_per_min)
            if not self._requests.hit(item, "requests", name):
                if endpoint.tokens_per_min is not None:
                    self._add(self._per_minute(endpoint.tokens_per_min), route, -min(tokens, endpoint.tokens_per_min))
                return self._wait_s(self._requests, item, "requests", name)
        return None

    def _add(self, item: RateLimitItemPerMinute, route: Route, tokens: int) -> None:
        self._tokens.storage.incr(item.key_for("tokens", self._name(route)), item.get_expiry(), amount=tokens)

    def _wait_s(self, limiter: Any, item: RateLimitItemPerMinute, what: str, name: str) -> float:
        until = float(limiter.get_window_stats(item, what, name).reset_time)
        return min(WINDOW_S, max(0.05, until - time.time()))

    def _open(self) -> None:
        if self._requests is not None:
            return
        from limits.storage import MemoryStorage, storage_from_string
        from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

        storage: Any = storage_from_string(self._redis_url) if self._redis_url else MemoryStorage()
        self._tokens = FixedWindowRateLimiter(storage)
        self._requests = MovingWindowRateLimiter(storage)

    @staticmethod
    def _name(route: Route) -> str:
        # The endpoint's name, not the salted hash of its key: several processes must count together.
        return f"{route.endpoint.name}/{route.model}"

    @staticmethod
    def _per_minute(amount: int) -> RateLimitItemPerMinute:
        from limits import RateLimitItemPerMinute

        return RateLimitItemPerMinute(amount)
