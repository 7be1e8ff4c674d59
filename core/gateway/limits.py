"""Does another request still fit into the requests and tokens per minute we allow ourselves at a target?"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from core.gateway.errors import ConfigurationError
from core.gateway.routes import Route

if TYPE_CHECKING:
    from limits import RateLimitItemPerMinute

WINDOW_S = 60.0
CLOCK_S, REDIS_CLOCK_S = 0.05, 1.0
"""How exactly the end of a minute is known: Redis tells it in whole seconds."""

REDIS_TIMEOUT_S = 1.0
REDIS_REST_S = 10.0
"""How long a Redis that did not answer is left alone; meanwhile this process counts alone."""

logger = logging.getLogger(__name__)


class RateLimits:
    """Counts in this process, or in Redis for several of them. Nothing is imported or opened before the first limit.

    Requests are counted in a moving window, tokens in a fixed one: they are reserved by estimate and settled after.
    A Redis that fails never fails a call: the process counts alone until it is back, and says so in the log once. It
    is waited for `patience_s` at most, however many calls queue for the threads that talk to it.
    """

    def __init__(self, *, redis_url: str | None = None, patience_s: float = REDIS_TIMEOUT_S) -> None:
        self._patience_s = patience_s
        self._local = _Counters(None)
        self._shared = _Counters(redis_url) if redis_url is not None else None
        self._shared_from = 0.0

    async def take(self, route: Route, tokens: int) -> float | None:
        """None when the request may go, else the seconds until it may. Raises ConfigurationError for the address."""
        endpoint = route.endpoint
        if endpoint.requests_per_min is None and endpoint.tokens_per_min is None:
            return None
        if self._shared is not None and time.monotonic() >= self._shared_from:
            from limits.errors import StorageError

            try:
                async with asyncio.timeout(self._patience_s):
                    return await asyncio.to_thread(self._shared.take, route, tokens)
            except (StorageError, TimeoutError) as error:
                self._leave_alone(error)
        return self._local.take(route, tokens)

    def settle(self, route: Route, reserved: int, used: int, taken_at: float) -> None:
        """Correct the tokens reserved at `taken_at` (`time.time()`) to those really used."""
        if route.endpoint.tokens_per_min is None:
            return
        change = used - _tokens(route, reserved)
        if change == 0:
            return
        if self._shared is not None and time.monotonic() >= self._shared_from:
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(None, self._shared.correct, route, change, taken_at)
            work.add_done_callback(self._settled)
        else:
            self._local.correct(route, change, taken_at)

    def _settled(self, work: asyncio.Future[None]) -> None:
        error = None if work.cancelled() else work.exception()
        if isinstance(error, Exception):
            self._leave_alone(error)

    def _leave_alone(self, error: Exception) -> None:
        """On the loop, as all but the counting itself: many calls meet the same failure at once, and one says so."""
        if time.monotonic() < self._shared_from:
            return
        self._shared_from = time.monotonic() + REDIS_REST_S
        # The kind only: the text may hold the address, and with it a password.
        kind = type(error.__cause__ or error).__name__
        logger.warning("Redis does not answer (%s): this process counts its rate limits alone for now.", kind)


class _Counters:
    """The counts in one storage: in memory without an address."""

    def __init__(self, redis_url: str | None) -> None:
        self._redis_url = redis_url
        self._requests: Any = None
        self._tokens: Any = None

    def take(self, route: Route, tokens: int) -> float | None:
        """None when the request may go, else the seconds until it may."""
        self._open()
        name = self._name(route)
        endpoint = route.endpoint
        if endpoint.tokens_per_min is not None:
            item = self._per_minute(endpoint.tokens_per_min)
            cost = _tokens(route, tokens)
            if not self._tokens.hit(item, "tokens", name, cost=cost):
                self._add(route, -cost)
                return self._wait_s(self._tokens, item, "tokens", name)
        if endpoint.requests_per_min is not None:
            item = self._per_minute(endpoint.requests_per_min)
            if not self._requests.hit(item, "requests", name):
                if endpoint.tokens_per_min is not None:
                    self._add(route, -_tokens(route, tokens))
                return self._wait_s(self._requests, item, "requests", name)
        return None

    def correct(self, route: Route, tokens: int, taken_at: float) -> None:
        """Count tokens, fewer when negative, without asking whether they fit.

        What was reserved in a minute that is over is not given back: it is not counted in the present one.
        """
        self._open()
        if tokens < 0:
            item = self._per_minute(route.endpoint.tokens_per_min or 1)
            key, storage = item.key_for("tokens", self._name(route)), self._tokens.storage
            clock_s = CLOCK_S if self._redis_url is None else REDIS_CLOCK_S
            is_over = taken_at < storage.get_expiry(key) - WINDOW_S - clock_s
            tokens = 0 if is_over else max(tokens, -storage.get(key))
        if tokens:
            self._add(route, tokens)

    def _add(self, route: Route, tokens: int) -> None:
        item = self._per_minute(route.endpoint.tokens_per_min or 1)
        self._tokens.storage.incr(item.key_for("tokens", self._name(route)), item.get_expiry(), amount=tokens)

    def _wait_s(self, limiter: Any, item: RateLimitItemPerMinute, what: str, name: str) -> float:
        until = float(limiter.get_window_stats(item, what, name).reset_time)
        return min(WINDOW_S, max(0.05, until - time.time()))

    def _open(self) -> None:
        if self._requests is not None:
            return
        from limits.storage import MemoryStorage
        from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

        storage: Any = MemoryStorage() if self._redis_url is None else _redis(self._redis_url)
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


def _tokens(route: Route, tokens: int) -> int:
    """What a request counts. One larger than the limit itself goes alone into an empty minute, or it could never go;
    none counts nothing, or it could always go.
    """
    return max(1, min(tokens, route.endpoint.tokens_per_min or 0))


def _redis(url: str) -> Any:
    """A storage that gives up after `REDIS_TIMEOUT_S`. Raises ConfigurationError, without the address."""
    from limits.errors import ConfigurationError as LibraryError
    from limits.storage import storage_from_string

    is_redis = url.split("://")[0] in {"redis", "rediss", "redis+unix"}
    try:
        if is_redis:
            limit_s = REDIS_TIMEOUT_S
            return storage_from_string(
                url, wrap_exceptions=True, socket_timeout=limit_s, socket_connect_timeout=limit_s
            )
    except LibraryError:
        raise ConfigurationError("redis_url: the package redis (below version 8) is not installed.") from None
    except ValueError:
        pass
    raise ConfigurationError("redis_url: give an address such as redis://localhost:6379.")
