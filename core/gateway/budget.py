"""How much may a session, a user and everybody together spend a day, exactly, however many calls at once?"""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from core.gateway.errors import SpendingCapError

Purse = tuple[str, str]
"""What a cap is about and whose: ("session", id), ("user", id + day) or ("day", day)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reservation:
    """Money set aside for one attempt; give it back with `SpendingCaps.settle`."""

    pico_usd: int
    purses: tuple[Purse, ...]


def _utc_day() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


class SpendingCaps:
    """Caps in pico-USD, None for no cap: per session, per user and UTC day, and for all calls of a UTC day.

    Reserve before an attempt, settle after it: spent plus reserved never exceeds a cap when reserving. May be shared
    by several gateways of a process and by threads. Raises ValueError for a cap below 0.
    """

    def __init__(
        self,
        *,
        session_pico_usd: int | None = None,
        user_day_pico_usd: int | None = None,
        day_pico_usd: int | None = None,
        today: Callable[[], dt.date] = _utc_day,
    ) -> None:
        self._caps = {"session": session_pico_usd, "user": user_day_pico_usd, "day": day_pico_usd}
        if any(cap is not None and cap < 0 for cap in self._caps.values()):
            raise ValueError("A spending cap is below 0: give 0 or more, or None for no cap.")
        self._today = today
        self._lock = threading.Lock()
        self._spent: defaultdict[Purse, int] = defaultdict(int)
        self._reserved: defaultdict[Purse, int] = defaultdict(int)

    def reserve(self, pico_usd: int, *, session_id: str = "", user_id: str = "") -> Reservation:
        """Set money aside. SpendingCapError names the cap that does not allow it, ValueError an amount below 0."""
        if pico_usd < 0:
            raise ValueError(f"pico_usd is {pico_usd}: give 0 or more.")
        purses = self._purses(session_id, user_id)
        with self._lock:
            for purse in purses:
                cap = self._caps[purse[0]]
                if cap is not None and self._spent[purse] + self._reserved[purse] + pico_usd > cap:
                    raise SpendingCapError(f"The spending cap per {purse[0]} does not allow this call.")
            for purse in purses:
                self._reserved[purse] += pico_usd
        return Reservation(pico_usd=pico_usd, purses=purses)

    def limit_session(self, pico_usd: int | None) -> None:
        """Another cap per session from now on, ValueError below 0. What is spent or set aside stays counted."""
        if pico_usd is not None and pico_usd < 0:
            raise ValueError(f"pico_usd is {pico_usd}: give 0 or more, or None for no cap.")
        with self._lock:
            self._caps["session"] = pico_usd

    def is_capped(self, *, session_id: str = "", user_id: str = "") -> bool:
        """Whether any cap holds for such a call."""
        return any(self._caps[purse[0]] is not None for purse in self._purses(session_id, user_id))

    def settle(self, reservation: Reservation, spent_pico_usd: int) -> None:
        """Give the reservation back and count what was really spent."""
        with self._lock:
            for purse in reservation.purses:
                self._reserved[purse] -= reservation.pico_usd
                if self._reserved[purse] == 0:
                    del self._reserved[purse]
                self._spent[purse] += spent_pico_usd

    def load(self, pico_usd: int, *, session_id: str = "", user_id: str = "") -> None:
        """Count what was spent before this process started, for instance from the usage log."""
        with self._lock:
            for purse in self._purses(session_id, user_id):
                self._spent[purse] += pico_usd

    def spent(self, *, session_id: str = "", user_id: str = "") -> dict[str, int]:
        """Pico-USD spent so far by name of the cap."""
        with self._lock:
            return {purse[0]: self._spent.get(purse, 0) for purse in self._purses(session_id, user_id)}

    @property
    def reserved_pico_usd(self) -> int:
        """All that is set aside at the moment; 0 when no call is under way."""
        with self._lock:
            return sum(amount for (about, _), amount in self._reserved.items() if about == "day")

    def _purses(self, session_id: str, user_id: str) -> tuple[Purse, ...]:
        day = self._today().isoformat()
        found: list[Purse] = [("day", day)]
        if user_id:
            found.append(("user", f"{day} {user_id}"))
        if session_id:
            found.append(("session", session_id))
        return tuple(found)
