"""Which two ways are compared, and what does the switch cost? The inputs of the ROI page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import streamlit as st

from core.costs.article import roi_example
from core.costs.model_shapes import model_shapes
from core.costs.roi_plan import SwitchTerms
from pages.parts import address, number_field, state, ways, widgets
from pages.parts.planning import BASELINE
from pages.parts.state import tr

Source = Literal["ways", "own"]
SOURCES: tuple[Source, ...] = ("ways", "own")
RENT = "rent"
MAX_USD = 1e9
LEAST_RATE, MOST_RATE = -99.0, 1_000.0
FIELD_MIN_WIDTH_PX = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the reader chose; `now_usd` and `new_usd` (per month) count only when the source is "own"."""

    source: Source
    from_id: str
    to_id: str
    now_usd: float
    new_usd: float
    terms: SwitchTerms


def fields(labels: Mapping[str, str], baseline: str | None, cheapest: Sequence[str]) -> list[address.Field]:
    """Every input of the page with its limits; keys are names in the address.

    `labels` names the ways by id. One moves from `baseline` to the first of `cheapest` that is another, unless told
    otherwise.
    """
    ids, called = list(labels), labels.__getitem__
    wanted = baseline or str(st.session_state.get(BASELINE))
    first = wanted if wanted in ids else ids[0]
    second = next((one for one in (*cheapest, *ids) if one != first and one in ids), first)
    return [
        address.Field(key="roi_source", kind="choice", default="ways", options=SOURCES, named=_source),
        address.Field(key="roi_from", kind="choice", default=first, options=tuple(ids), named=called),
        address.Field(key="roi_to", kind="choice", default=second, options=tuple(ids), named=called),
        address.Field(key="roi_now", kind="float", default=4_500.0, low=0, high=MAX_USD),
        address.Field(key="roi_new", kind="float", default=750.0, low=0, high=MAX_USD),
        address.Field(key="roi_migration", kind="float", default=1_500.0, low=0, high=MAX_USD),
        address.Field(key="roi_fee", kind="float", default=0.0, low=0, high=MAX_USD),
        address.Field(key="roi_rate", kind="float", default=8.0, low=LEAST_RATE, high=MOST_RATE),
    ]


def read(labels: Mapping[str, str], baseline: str | None = None, cheapest: Sequence[str] = ()) -> Inputs:
    """The choices as of this run; what an address got wrong is said on the page."""
    found = fields(labels, baseline, cheapest)
    for field in found:
        if field.key in {"roi_from", "roi_to"}:
            _go_with_plan(field)
    values, problems = address.bind(found)
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


def _go_with_plan(field: address.Field) -> None:
    """A way nobody chose is another one when the plan's baseline or its cheapest way has become another."""
    name = f"_{field.key}_default"
    before, st.session_state[name] = st.session_state.get(name), field.default
    untouched = {address.kept(field.key), st.session_state.get(field.key, before)} == {before}
    if untouched and before not in {None, field.default}:
        address.set_value(field.key, field.default)


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    names = ("roi_now", "roi_new", "roi_migration", "roi_fee", "roi_rate")
    return {name: float(values[name] or 0.0) for name in names}


def draw(labels: Mapping[str, str], inputs: Inputs) -> None:
    """Draws the inputs beside the answer; `labels` names the ways by id."""
    st.segmented_control(tr("roi.source"), SOURCES, key="roi_source", format_func=_source, required=True)
    if inputs.source == "own":
        _usd("now", step=100)
        _usd("new", step=100)
    else:
        _draw_ways(labels, inputs)
    _usd("migration", step=500)
    with st.grid(2, min_column_width=FIELD_MIN_WIDTH_PX):
        _usd("fee", step=10, has_sentence=False)
        number_field.number_field(
            tr("roi.rate"), LEAST_RATE, MOST_RATE, key="roi_rate", help=tr("roi.rate_help"), has_sentence=False
        )
    for name in ("fee", "rate"):
        number_field.say(f"roi_{name}", tr(f"roi.{name}"))


def draw_article_button() -> None:
    """The article's example, one click away; it stands by the answer, below which what is wrong in it then is shown."""
    st.button(
        tr("roi.article_button"), key="roi_article", icon=":material/article:", on_click=take_article,
        help=tr("roi.article_help"), type="tertiary",
    )  # fmt: skip


def _source(source: str) -> str:
    return tr(f"roi.source_{source}")


def _usd(name: str, *, step: float, has_sentence: bool = True) -> None:
    number_field.number_field(
        tr(f"roi.{name}"), 0, MAX_USD, step=step, key=f"roi_{name}", help=tr(f"roi.{name}_help"),
        has_sentence=has_sentence, is_usd=True,
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
    address.set_value("roi_source", "own")
    for name, usd in _article_usd().items():
        address.set_value(f"roi_{name}", usd)
    state.set_workload(replace(state.workload(), horizon_months=12))


def is_article(inputs: Inputs) -> bool:
    """Whether the amounts are those of the article's example."""
    amounts = {
        "now": inputs.now_usd, "new": inputs.new_usd, "fee": inputs.terms.fee_usd_per_month,
        "migration": inputs.terms.migration_usd,
    }  # fmt: skip
    return inputs.source == "own" and amounts == _article_usd()


def _article_usd() -> dict[str, float]:
    example = roi_example()
    return {
        "now": float(example.current_usd),
        "new": float(example.gateway_usage_usd),
        "fee": float(example.gateway_total_usd - example.gateway_usage_usd),
        "migration": 0.0,
    }
