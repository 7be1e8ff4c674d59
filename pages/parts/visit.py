"""What does the server keep of one browser session, in memory only? Its keys, endpoints, spending, and spending cap."""

from __future__ import annotations

import secrets
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.gateway import CallRecord, Endpoint, SpendingCaps
from core.gateway.demo import ENDPOINT_PREFIX
from pages.parts import safe_log

_VISIT = "_gateway_visit"
_ALIVE: weakref.WeakSet[Visit] = weakref.WeakSet()
_ALIVE_LOCK = threading.Lock()


class Allowance:
    """The visitor's own spending cap, which may change: money is set aside before a request and counted after it."""

    WHO = "visit"

    def __init__(self) -> None:
        self._caps = SpendingCaps()

    def limit(self, pico_usd: int) -> None:
        """The cap from now on; what was spent and what is set aside stays counted."""
        self._caps.limit_session(pico_usd)

    def reserve(self, pico_usd: int) -> Callable[[], None]:
        """Sets money aside until the returned function is called. Raises SpendingCapError."""
        reservation = self._caps.reserve(pico_usd, session_id=self.WHO)
        return lambda: self._caps.settle(reservation, 0)

    def count(self, pico_usd: int) -> None:
        """What was really spent."""
        self._caps.load(pico_usd, session_id=self.WHO)

    @property
    def spent_pico_usd(self) -> int:
        return self._caps.spent(session_id=self.WHO)["session"]

    @property
    def reserved_pico_usd(self) -> int:
        return self._caps.reserved_pico_usd


def _new_demo_key() -> str:
    return f"demo-{secrets.token_hex(12)}"


@dataclass(eq=False)
class Visit:
    """This browser session; its `repr` shows no key.

    `name` stands for it in spending caps, `demo_key` at the simulated sellers. `keys` were typed, by endpoint; `own`
    are endpoints added here; `local` are servers on this machine that were found here. Amounts are pico-USD of the
    part that is known.
    """

    name: str = field(default_factory=lambda: f"visit-{secrets.token_hex(12)}")
    demo_key: str = field(default_factory=_new_demo_key, repr=False)
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    own: dict[str, Endpoint] = field(default_factory=dict)
    local: set[str] = field(default_factory=set)
    offers: dict[Any, Any] = field(default_factory=dict, repr=False)
    branch: Any = field(default=None, repr=False)
    spent_pico_usd: int = 0
    simulated_pico_usd: int = 0
    allowance: Allowance = field(default_factory=Allowance)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, call: CallRecord) -> None:
        """Adds a finished call; called from the gateway's own thread."""
        for attempt in call.attempts:
            with self.lock:
                if attempt.endpoint.startswith(ENDPOINT_PREFIX):
                    self.simulated_pico_usd += attempt.pico_usd or 0
                else:
                    self.spent_pico_usd += attempt.pico_usd or 0
            self.allowance.count(attempt.pico_usd or 0)

    def renew_demo(self) -> str:
        """Another key for the simulated sellers, so that nothing is remembered of their failures; returns the old."""
        old, self.demo_key = self.demo_key, _new_demo_key()
        return old


def visit() -> Visit:
    """This browser session."""
    found: Visit | None = st.session_state.get(_VISIT)
    if found is None:
        found = st.session_state[_VISIT] = Visit()
        with _ALIVE_LOCK:
            _ALIVE.add(found)
    return found


def user_id() -> str:
    """Whose spending this is: the user who logged in, else the browser session."""
    try:
        found = st.user.get("email") or st.user.get("sub")
    except (KeyError, AttributeError, RuntimeError):
        found = None
    return str(found) if found else visit().name


def _typed_keys() -> Iterator[str]:
    with _ALIVE_LOCK:
        alive = list(_ALIVE)
    for one in alive:
        yield from list(one.keys.values())
        yield from [endpoint.api_key for endpoint in list(one.own.values())]
        yield one.demo_key


safe_log.also_hide(_typed_keys)
