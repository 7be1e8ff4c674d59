"""Which endpoints are there, has each a key, and how did they do lately?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.gateway import PRESETS, Endpoint, Gateway, GatewayError, Preset, Target
from core.gateway.breaker import BreakerState
from core.gateway.diagnosis import topic_of
from core.gateway.runtime import next_try_s
from core.usage.measure import success_share
from core.usage.recorder import DEMO_PREFIX
from core.usage.rollup import Filters, Totals, fold, totals
from pages.parts import gateway, state
from pages.parts.usage_data import engine

DAYS = 7
KeyState = Literal["server", "session", "missing", "not_needed", "off"]
BREAKER_ORDER: tuple[BreakerState, ...] = ("open", "half_open", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the log says of one endpoint over the last `DAYS` days; None where it says nothing."""

    attempt_count: int = 0
    ok_count: int = 0
    p50_ms: float | None = None
    ttft_ms: float | None = None
    last_error: str = ""
    last_error_at: dt.datetime | None = None

    @property
    def ok_share(self) -> float | None:
        return success_share([(self.ok_count, self.attempt_count)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The breaker of an endpoint; `next_try_s` is in seconds from now, None unless it is open."""

    state: BreakerState
    next_try_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One endpoint as the page shows it; never its key."""

    name: str
    label: str
    base_url: str
    key_state: KeyState
    breaker: Breaker | None
    health: Health

    @property
    def is_simulated(self) -> bool:
        return self.name.startswith(DEMO_PREFIX)


def lines() -> list[Line]:
    """Every known place, the visitor's own, and every other endpoint the log has seen. Raises DatabaseProblem."""
    seen, breakers = health(), breakers_now()
    places, own = gateway.places(), gateway.own_endpoints()
    addresses = {name: one.base_url for name, one in places.items()} | {one.name: one.base_url for one in own}
    others = sorted({name for name in (*seen, *breakers) if name and name not in addresses})
    return [
        Line(
            name=name,
            label=gateway.label_of(name),
            base_url=addresses.get(name, ""),
            key_state=_key_state(name, places.get(name), own),
            breaker=breakers.get(name),
            health=seen.get(name, Health()),
        )
        for name in (*addresses, *others)
    ]


def lost_count() -> int:
    """Attempts and calls this process could not log: the database was away for too long, or they make no row."""
    status = gateway.usage_log().status()
    return status.dropped_count + status.refused_count


def setting_of(line: Line) -> str:
    """What the operator sets so that the endpoint can be called; "" when nothing is missing."""
    if line.key_state == "off":
        return f"{line.name.upper()}_ENABLED=1"
    return f"{line.name.upper()}_API_KEY" if line.key_state == "missing" else ""


def _key_state(name: str, place: Preset | None, own: tuple[Endpoint, ...]) -> KeyState:
    if place is None:
        return "session" if any(one.name == name and one.api_key for one in own) else "not_needed"
    found = key_state(name)
    if found != "missing" or place.needs_key:
        return found
    return "not_needed" if name not in PRESETS or gateway.is_on(name) else "off"


def key_state(name: str) -> KeyState:
    """Whether a key is set and where from; the key itself goes no further."""
    if gateway.session_keys().get(name):
        return "session"
    return "server" if gateway.server_key(name) else "missing"


def callable_endpoints() -> tuple[Endpoint, ...]:
    """What this visit can call: the simulated sellers when they run, and those with a key."""
    try:
        return gateway.endpoints()
    except (OSError, TimeoutError):
        return gateway.real_endpoints()


def breakers_now() -> dict[str, Breaker]:
    """Per endpoint: "open" when any of its models is left alone for a while, else "half_open", else "closed"."""
    try:
        running = gateway.gateway()
    except (OSError, TimeoutError):
        return {}
    return {one.name: _breaker(running, one) for one in running.endpoints}


def _breaker(running: Gateway, endpoint: Endpoint) -> Breaker:
    found: list[Breaker] = []
    for model in gateway.models_of(endpoint):
        target = Target(endpoint=endpoint.name, model=model)
        try:
            state = running.breaker_state(target)
            found.append(Breaker(state=state, next_try_s=next_try_s(running, target) if state == "open" else None))
        except GatewayError:
            continue
    # Of several that rest, the one that is tried first.
    return min(
        found, key=lambda one: (BREAKER_ORDER.index(one.state), one.next_try_s or 0.0), default=Breaker(state="closed")
    )


def topic(kind: str) -> str:
    """The topic of the guide that explains an error's kind."""
    return topic_of(kind)


def health() -> dict[str, Health]:
    """Health by endpoint, from the hourly roll-up of gateway and demo calls."""
    chosen = Filters(since=state.today() - dt.timedelta(days=DAYS - 1), origins=("gateway", "demo"))
    rows = totals(engine(), chosen, by=["endpoint", "hour", "outcome", "error"], level="attempt")
    by_outcome = fold(rows, 0, 2)
    errors: dict[str, tuple[int, str]] = {}
    for row in rows:
        name, hour, _, error = row.key
        if error and (name not in errors or hour >= errors[name][0]):
            errors[name] = (int(hour), str(error))
    return {str(row.key[0]): _health(row, by_outcome, errors) for row in fold(rows, 0)}


def _health(row: Totals, by_outcome: list[Totals], errors: Mapping[str, tuple[int, str]]) -> Health:
    name = row.key[0]
    hour, kind = errors.get(name, (None, ""))
    return Health(
        attempt_count=row.request_count,
        ok_count=sum(one.request_count for one in by_outcome if one.key == (name, "ok")),
        p50_ms=row.latency_ms(0.5),
        ttft_ms=row.ttft_ms(0.5),
        last_error=kind,
        last_error_at=None if hour is None else dt.datetime.fromtimestamp(hour, tz=dt.UTC),
    )
