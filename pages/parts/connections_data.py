"""Which endpoints are there, has each a key, and how did they do lately?"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.gateway import PRESETS
from core.gateway.diagnosis import topic_of
from core.usage.rollup import Filters, Totals, fold, totals
from pages.parts.usage_data import engine, today

DAYS = 7
KeyState = Literal["server", "session", "missing", "not_needed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the log says of one endpoint over the last `DAYS` days; None where it says nothing."""

    attempt_count: int = 0
    ok_share: float | None = None
    p50_ms: float | None = None
    ttft_ms: float | None = None
    last_error: str = ""
    last_error_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One endpoint as the page shows it; never its key."""

    name: str
    label: str
    base_url: str
    dialect: str
    key_state: KeyState
    health: Health


def lines() -> list[Line]:
    """Every known seller, and every other endpoint the log has seen. Raises DatabaseProblem."""
    seen = health()
    known = [
        Line(
            name=preset.name,
            label=preset.label,
            base_url=preset.base_url,
            dialect=preset.dialect,
            key_state=key_state(preset.name) if preset.needs_key else "not_needed",
            health=seen.get(preset.name, Health()),
        )
        for preset in PRESETS.values()
    ]
    others = [
        Line(name=name, label=name, base_url="", dialect="", key_state="not_needed", health=found)
        for name, found in sorted(seen.items())
        if name and name not in PRESETS
    ]
    return known + others


def key_names(name: str) -> tuple[str, str]:
    """Where the server keeps an endpoint's key: the environment variable, and the entry under `[keys]` in secrets."""
    return f"{name.upper()}_API_KEY", name


def key_state(name: str) -> KeyState:
    """Whether a key is set and where from; the key itself is not read further than that."""
    variable, entry = key_names(name)
    session: Mapping[str, str] = st.session_state.get("_gateway_keys") or {}
    if session.get(name):
        return "session"
    return "server" if os.environ.get(variable) or _has_secret(entry, variable) else "missing"


def _has_secret(entry: str, variable: str) -> bool:
    try:
        kept = st.secrets.to_dict()
    except (FileNotFoundError, st.errors.StreamlitSecretNotFoundError):
        return False
    keys = kept.get("keys")
    return bool(kept.get(variable) or (isinstance(keys, Mapping) and keys.get(entry)))


def topic(kind: str) -> str:
    """The topic of the guide that explains an error's kind."""
    return topic_of(kind)


def health() -> dict[str, Health]:
    """Health by endpoint, from the hourly roll-up of gateway and demo calls."""
    chosen = Filters(since=today() - dt.timedelta(days=DAYS - 1), origins=("gateway", "demo"))
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
    good = sum(one.request_count for one in by_outcome if one.key == (name, "ok"))
    hour, kind = errors.get(name, (None, ""))
    return Health(
        attempt_count=row.request_count,
        ok_share=good / row.request_count,
        p50_ms=row.latency_ms(0.5),
        ttft_ms=row.ttft_ms(0.5),
        last_error=kind,
        last_error_at=None if hour is None else dt.datetime.fromtimestamp(hour, tz=dt.UTC),
    )
