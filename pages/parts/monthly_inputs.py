"""Which inputs does the monthly cost page offer beside its chart, and which behind a button?"""

from __future__ import annotations

import streamlit as st

from core.costs.monthly import DEFAULT_SEED, Outlook
from core.costs.monthly_outlook import LIMITS
from core.workload import LIMITS as WORKLOAD_LIMITS
from pages.parts import address, number_field, planning, state, ways
from pages.parts.planning import Plan
from pages.parts.state import tr
from pages.parts.workload_fields import take, workload_fields

BESIDE = ("requests_per_month", "growth_per_month", "horizon_months", "budget_usd_per_month")
BEHIND = (
    "input_tokens", "output_tokens", "cached_share", "cache_write_share", "batch_share", "input_spread",
    "output_spread", "seasonality", "retry_share", "peak_hour_share", "peak_to_average",
)  # fmt: skip
GROUPS = ("more", "ways", "assumptions")
GROUP = f"{planning.PREFIX}group"
END_VOLUME = f"{planning.PREFIX}end_volume"
BASELINE_FIELD = f"{planning.PREFIX}baseline_field"


def show_inputs(plan: Plan) -> None:
    """The inputs that move most; the rest in three groups, of which one is open at most."""
    workload_fields(BESIDE)
    group = st.segmented_control(
        tr("monthly_cost.groups"), GROUPS, key=GROUP, format_func=lambda one: tr(f"monthly_cost.{one}"),
    )  # fmt: skip
    if group == "more":
        _end_volume()
        workload_fields(BEHIND)
    elif group == "ways":
        show_ways(plan)
    elif group == "assumptions":
        _assumptions()


def show_ways(plan: Plan) -> None:
    """The ways compared and the one that savings are measured against."""
    ways.editor()
    labels = {ways.way_id(way): way.name for way in plan.ways}
    if plan.baseline is None:
        return
    # The field has a key of its own: looked at, a baseline nobody chose still follows the ways (`baseline_way`).
    address.follow(BASELINE_FIELD, ways.way_id(plan.way(plan.baseline.name)))
    st.selectbox(
        tr("monthly_cost.baseline"), list(labels), key=BASELINE_FIELD, format_func=lambda one: labels.get(one, one),
        on_change=_take_baseline,
    )  # fmt: skip


def _take_baseline() -> None:
    address.set_value(planning.BASELINE, st.session_state[BASELINE_FIELD])


def _end_volume() -> None:
    workload = state.workload()
    months = workload.horizon_months
    end = workload.requests_per_month * (1 + workload.growth_per_month) ** (months - 1)
    limit = WORKLOAD_LIMITS["requests_per_month"]
    st.session_state[END_VOLUME] = int(min(max(end, limit.low), limit.high))
    number_field.number_field(
        tr("monthly_cost.field_end_volume"), limit.low, limit.high, key=END_VOLUME, is_whole=True,
        help=tr("monthly_cost.help_end_volume"), on_change=_take_end_volume, disabled=months < 2,
    )  # fmt: skip


def _take_end_volume() -> None:
    workload, end = state.workload(), st.session_state.get(END_VOLUME)
    if not end or workload.horizon_months < 2:
        return
    growth = (end / workload.requests_per_month) ** (1 / (workload.horizon_months - 1)) - 1
    take(workload.to_mapping() | {"grow": f"{growth:.9f}"})


def _assumptions() -> None:
    st.date_input(
        tr("monthly_cost.field_start"), key=planning.START, min_value=planning.EARLIEST,
        max_value=planning.LATEST, help=tr("monthly_cost.help_start"),
    )  # fmt: skip
    for name, (low, high) in LIMITS.items():
        step = 0.5 if getattr(Outlook(), name) <= 0.01 else 5.0
        number_field.number_field(
            tr(f"monthly_cost.field_{name}"), low * 100, high * 100, step=step, key=f"{planning.PREFIX}{name}",
            help=tr(f"monthly_cost.help_{name}"),
        )  # fmt: skip
    st.caption(tr("monthly_cost.assumptions_note", seed=DEFAULT_SEED))
