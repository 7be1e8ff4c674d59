"""Which days and which calls does the spend page count? Its filters, in the address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import streamlit as st

from core.usage.entries import OUTCOMES
from core.usage.rollup import Filters
from core.workload import Problem
from pages.parts import address, state
from pages.parts.state import tr

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
            address.Field(key=DAYS, kind="choice", default="30", options=tuple(PERIODS)),
            address.Field(key=SOURCE, kind="choice", default=default_source(choices), options=tuple(SOURCES)),
            address.Field(key=VIEW, kind="choice", default="day", options=VIEWS),
            address.Field(key=PROVIDERS, kind="choices", default=[], options=choices["provider"]),
            address.Field(key=MODELS, kind="choices", default=[], options=choices["model"]),
            address.Field(key=OUTCOME, kind="choices", default=[], options=OUTCOMES),
        )
    )
    return problems


def labels() -> dict[str, str]:
    """The name of each field, for the sentence about one that was corrected."""
    names = {
        DAYS: "period", SOURCE: "source", VIEW: "view", PROVIDERS: "provider", MODELS: "model", OUTCOME: "outcome",
    }  # fmt: skip
    return {key: tr(f"usage.{name}") for key, name in names.items()}


def draw(choices: Mapping[str, list[str]]) -> None:
    """One row of filters; the rarer ones open in place."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            tr("usage.period"), list(PERIODS), key=DAYS, format_func=lambda days: tr(f"usage.period_{days}"),
            required=True,
        )  # fmt: skip
        st.selectbox(
            tr("usage.source"), list(SOURCES), key=SOURCE, format_func=lambda name: tr(f"usage.source_{name}"),
            width=220,
        )  # fmt: skip
        count = sum(len(st.session_state.get(key) or []) for key in (PROVIDERS, MODELS, OUTCOME))
        label = tr("usage.filters_active", count=count) if count else tr("usage.filters")
        with st.popover(label, icon=":material/filter_list:", key="usage_filters"):
            st.multiselect(tr("usage.provider"), choices["provider"], key=PROVIDERS)
            st.multiselect(tr("usage.model"), choices["model"], key=MODELS)
            st.multiselect(
                tr("usage.outcome"), list(OUTCOMES), key=OUTCOME, format_func=lambda one: tr(f"usage.outcome_{one}")
            )


def period() -> tuple[dt.date | None, dt.date]:
    """First and last day, both counted; the first is None for the whole log."""
    days = PERIODS[str(st.session_state.get(DAYS) or "30")]
    return (None if days is None else state.today() - dt.timedelta(days=days - 1)), state.today()


def filters() -> Filters:
    """The chosen filters without their days."""
    return Filters(
        origins=SOURCES[str(st.session_state.get(SOURCE) or "real")],
        provider_ids=tuple(st.session_state.get(PROVIDERS) or ()),
        models=tuple(st.session_state.get(MODELS) or ()),
        outcomes=tuple(st.session_state.get(OUTCOME) or ()),
    )
