"""Which days and which calls does the spend page count? Its filters, in the address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import streamlit as st

from core.usage.entries import OUTCOMES
from core.usage.rollup import Filters
from core.workload import Problem
from pages.parts import address, state
from pages.parts.state import fmt, tr

PERIODS: Mapping[str, int | None] = {"7": 7, "30": 30, "90": 90, "365": 365, "all": None}
SOURCES: Mapping[str, tuple[str, ...]] = {
    "real": ("gateway", "import"),
    "demo": ("demo",),
    "sample": ("sample",),
    "all": (),
}
VIEWS = ("day", "model", "provider", "outcome", "waste", "what_if")
DAYS, SOURCE, VIEW = "usage_days", "usage_source", "usage_view"
PROVIDERS, MODELS, OUTCOME = "usage_providers", "usage_models", "usage_outcomes"


def default_source(choices: Mapping[str, list[str]]) -> str:
    """What is shown first: real calls where there are any, else simulated ones, else the sample."""
    there = choices["origin"]
    return next((name for name, origins in SOURCES.items() if any(one in there for one in origins)), "real")


def take(choices: Mapping[str, list[str]]) -> list[Problem]:
    """Takes the filters from the address; what had to be corrected."""
    _, problems = address.bind(
        (
            _choice(DAYS, "30", tuple(PERIODS)),
            _choice(SOURCE, default_source(choices), tuple(SOURCES)),
            _choice(VIEW, "day", VIEWS),
            address.Field(key=PROVIDERS, kind="choices", default=[], options=choices["provider"]),
            address.Field(key=MODELS, kind="choices", default=[], options=choices["model"]),
            address.Field(key=OUTCOME, kind="choices", default=[], options=OUTCOMES),
        )
    )
    return problems


def _choice(key: str, default: str, options: Sequence[str]) -> address.Field:
    """A choice whose options are called `usage.<part>_<option>` as its key is `usage_<part>`."""
    part = {DAYS: "period"}.get(key, key.removeprefix("usage_"))
    return address.Field(
        key=key, kind="choice", default=default, options=options, named=lambda one: tr(f"usage.{part}_{one}")
    )


def labels() -> dict[str, str]:
    """The name of each field, for the sentence about one that was corrected."""
    names = {
        DAYS: "period", SOURCE: "source", VIEW: "view", PROVIDERS: "provider", MODELS: "model", OUTCOME: "outcome",
    }  # fmt: skip
    return {key: tr(f"usage.{name}") for key, name in names.items()}


def draw(choices: Mapping[str, list[str]]) -> None:
    """One row of filters, which say themselves what they are; the rarer ones open in place."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            tr("usage.period"), list(PERIODS), key=DAYS, format_func=lambda days: tr(f"usage.period_{days}"),
            required=True, label_visibility="collapsed",
        )  # fmt: skip
        st.selectbox(
            tr("usage.source"), list(SOURCES), key=SOURCE, format_func=lambda name: tr(f"usage.source_{name}"),
            width=220, label_visibility="collapsed",
        )  # fmt: skip
        count = sum(len(st.session_state.get(key) or []) for key in (PROVIDERS, MODELS, OUTCOME))
        label = tr("usage.filters_active", count=count) if count else tr("usage.filters")
        with st.popover(label, icon=":material/filter_list:", key="usage_filters"):
            st.multiselect(tr("usage.provider"), choices["provider"], key=PROVIDERS)
            st.multiselect(tr("usage.model"), choices["model"], key=MODELS)
            st.multiselect(
                tr("usage.outcome"), list(OUTCOMES), key=OUTCOME, format_func=lambda one: tr(f"usage.outcome_{one}")
            )


def shown_after_import(first: dt.date) -> dict[str, object]:
    """The filters that show every row of a file which begins on `first`: the period stays if it reaches that far."""
    needed = (state.today() - first).days + 1
    current = str(st.session_state.get(DAYS) or "30")
    wide = [name for name, days in PERIODS.items() if days is None or days >= needed]
    return {
        DAYS: current if current in wide else wide[0],
        SOURCE: "real",
        PROVIDERS: [],
        MODELS: [],
        OUTCOME: [],
    }


def period() -> tuple[dt.date | None, dt.date]:
    """First and last day, both counted; the first is None for the whole log."""
    days = PERIODS[str(st.session_state.get(DAYS) or "30")]
    return (None if days is None else state.today() - dt.timedelta(days=days - 1)), state.today()


def span_text(first: dt.date, last: dt.date) -> str:
    """From which day to which, or the one day."""
    days = (fmt().date(first), fmt().date(last))
    return days[0] if first == last else tr("usage.span", first=days[0], last=days[1])


def day_of(moment_ms: int) -> dt.date:
    """The UTC day of a time in ms since 1970."""
    return dt.datetime.fromtimestamp(moment_ms / 1_000, tz=dt.UTC).date()


def filters() -> Filters:
    """The chosen filters without their days."""
    return Filters(
        origins=SOURCES[str(st.session_state.get(SOURCE) or "real")],
        provider_ids=tuple(st.session_state.get(PROVIDERS) or ()),
        models=tuple(st.session_state.get(MODELS) or ()),
        outcomes=tuple(st.session_state.get(OUTCOME) or ()),
    )
