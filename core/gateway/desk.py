"""What do all calls of one gateway share?"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.gateway.chat import Attempt, CallRecord, Usage
from core.gateway.endpoints import Endpoint
from core.gateway.estimate import believed_pico_usd
from core.gateway.gate import Gate
from core.gateway.http import Http
from core.gateway.policy import Policy
from core.gateway.routes import Router

logger = logging.getLogger(__name__)

Price = Callable[[Endpoint, str, Usage, dt.datetime], int | None]
"""(endpoint, model that answered, usage, when) -> pico-USD, or None when no price is known."""


@dataclass(slots=True, kw_only=True)
class Desk:
    """Shared by the calls of one gateway; used on its loop only. Faults of callbacks never fail a call."""

    policy: Policy
    router: Router
    http: Http
    gate: Gate
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    draw: Callable[[], float]
    price: Price | None
    on_attempt: Callable[[Attempt], object] | None
    on_call: Callable[[CallRecord], object] | None

    def price_of(self, endpoint: Endpoint, model: str, usage: Usage | None, at: dt.datetime) -> int | None:
        """Pico-USD of a usage; None when the usage or the price is unknown."""
        if usage is None:
            return None
        return price_of(self.price, endpoint, model, usage, at)

    def tell_attempt(self, attempt: Attempt) -> None:
        """Give a finished attempt to `on_attempt`; what that raises is logged and goes no further."""
        if self.on_attempt is not None:
            _tell(self.on_attempt, attempt)

    def tell_call(self, record: CallRecord) -> None:
        """Give a finished call to `on_call`; what that raises is logged and goes no further."""
        if self.on_call is not None:
            _tell(self.on_call, record)


def price_of(price: Price | None, endpoint: Endpoint, model: str, usage: Usage, at: dt.datetime) -> int | None:
    """What the callback says, if it says a whole number of pico-USD from 0 on."""
    if price is None:
        return None
    try:
        found = price(endpoint, model, usage, at)
    except Exception as error:  # noqa: BLE001  # a caller's callback may raise anything, a call must not fail by it
        logger.warning("No cost for %s: the price callback raised %s.", model, type(error).__name__)
        return None
    return believed_pico_usd(found)


def _tell(callback: Callable[..., object], value: object) -> None:
    try:
        callback(value)
    except Exception as error:  # noqa: BLE001  # a caller's callback may raise anything, a call must not fail by it
        logger.warning("A callback of the gateway raised %s.", type(error).__name__)
