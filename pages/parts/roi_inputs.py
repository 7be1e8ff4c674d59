"""Which two ways are compared, and what does the switch cost? The inputs of the ROI page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import streamlit as st

from core.costs.article import roi_example
from core.costs.model_shapes import model_shapes
from core.costs.roi_plan import SwitchTerms
from pages.parts import address, state, ways, widgets
from pages.parts.monthly_data import BASELINE
from pages.parts.state import tr

Source = Literal["ways", "own"]
SOURCES: tuple[Source, ...] = ("ways", "own")
RENT = "rent"
DEFAULT_TO = "google/gemini-2.5-flash"
MAX_USD = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the reader chose; `now_usd` and `new_usd` (per month) count only when the source is "own"."""

    source: Source
    from_id: str
    to_id: str
    now_usd: float
    new_usd: float
    terms: SwitchTerms


def fields(ids: Sequence[str]) -> list[address.Field]:
    """Every input of the page with its limits; keys are names in the address."""
    baseline = str(st.session_state.get(BASELINE))
    first = baseline if baseline in ids else ids[0]
    others = [one for one in ids if one != first]
    second = DEFAULT_TO if DEFAULT_TO in others else next(iter(others), first)
    return [
        address.Field(key="roi_source", kind="choice", default="ways", options=SOURCES),
        address.Field(key="roi_from", kind="choice", default=first, options=tuple(ids)),
        address.Field(key="roi_to", kind="choice", default=second, options=tuple(ids)),
        address.Field(key="roi_now", kind="float", default=4_500.0, low=0, high=MAX_USD),
        address.Field(key="roi_new", kind="float", default=750.0, low=0, high=MAX_USD),
        address.Field(key="roi_migration", kind="float", default=1_500.0, low=0, high=MAX_USD),
        address.Field(key="roi_fee", kind="float", default=0.0, low=0, high=MAX_USD),
        address.Field(key="roi_rate", kind="float", default=8.0, low=-99, high=1_000),
    ]


def read(ids: Sequence[str]) -> Inputs:
    """The choices as of this run; what an address got wrong is said on the page."""
    values, problems = address.bind(fields(ids))
    widgets.show_problems(problems, {one.field: tr(f"roi.{one.field.removeprefix('roi_')}") for one in problems})
    number = _numbers(values)
    return Inputs(
        source=values["roi_source"],
        from_id=values["roi_from"],
        to_id=values["roi_to"],
        now_usd=number["roi_now"],
        new_usd=number["roi_new"],
        terms=SwitchTerms(
            migration_usd=number["roi_migration"],
            fee_usd_per_month=number["roi_fee"],
            annual_discount_rate=number["roi_rate"] / 100,
        ),
    )


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    names = ("roi_now", "roi_new", "roi_migration", "roi_fee", "roi_rate")
    return {name: float(values[name] or 0.0) for name in names}


def draw(labels: Mapping[str, str], inputs: Inputs) -> None:
    """Draws the inputs beside the answer; `labels` names the ways by id."""
    st.segmented_control(
        tr("roi.source"), SOURCES, key="roi_source", format_func=lambda one: tr(f"roi.source_{one}"), required=True
    )
    if inputs.source == "own":
        st.number_input(tr("roi.now"), 0.0, MAX_USD, step=100.0, key="roi_now", help=tr("roi.now_help"))
        st.number_input(tr("roi.new"), 0.0, MAX_USD, step=100.0, key="roi_new", help=tr("roi.new_help"))
    else:
        _draw_ways(labels, inputs)
    st.number_input(tr("roi.migration"), 0.0, MAX_USD, step=500.0, key="roi_migration", help=tr("roi.migration_help"))
    left, right = st.columns(2)
    left.number_input(tr("roi.fee"), 0.0, MAX_USD, step=10.0, key="roi_fee", help=tr("roi.fee_help"))
    right.number_input(tr("roi.rate"), -99.0, 1_000.0, step=1.0, key="roi_rate", help=tr("roi.rate_help"))
    st.button(
        tr("roi.article_button"), key="roi_article", icon=":material/article:", on_click=take_article,
        help=tr("roi.article_help"), type="tertiary",
    )  # fmt: skip


def _draw_ways(labels: Mapping[str, str], inputs: Inputs) -> None:
    ids = list(labels)
    st.selectbox(tr("roi.from"), ids, key="roi_from", format_func=labels.__getitem__)
    st.selectbox(tr("roi.to"), ids, key="roi_to", format_func=labels.__getitem__)
    if RENT in (inputs.from_id, inputs.to_id) and not st.session_state.get(ways.RENT):
        names = {key: shape.name for key, shape in model_shapes().items()}
        st.selectbox(
            tr("roi.rent_model"), list(names), key="sh_model", format_func=names.__getitem__,
            help=tr("roi.rent_model_help"),
        )  # fmt: skip
    more = st.popover(tr("roi.more_ways"), icon=":material/add:", on_change="rerun", key="roi_ways")
    if more.open:
        with more:
            ways.editor()


def take_article() -> None:
    """Callback: the article's inputs, over the 12 months it speaks of."""
    example = roi_example()
    wanted = {
        "roi_source": "own",
        "roi_now": float(example.current_usd),
        "roi_new": float(example.gateway_usage_usd),
        "roi_fee": float(example.gateway_total_usd - example.gateway_usage_usd),
        "roi_migration": 0.0,
    }
    for key, value in wanted.items():
        address.set_value(key, value)
    state.set_workload(replace(state.workload(), horizon_months=12))
