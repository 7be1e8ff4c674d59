"""Who should rent, who should call, who should go through a gateway: rules with thresholds the reader can change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from core.workload import Workload
from pages.parts import address
from pages.parts.self_host_inputs import Choices
from pages.parts.self_host_plan import Plan
from pages.parts.state import fmt, tr

Side = Literal["rent", "call", "gateway"]

FIELDS = (
    address.Field(key="sh_t_staff", kind="float", default=0.5, low=0, high=10),
    address.Field(key="sh_t_util", kind="float", default=30.0, low=0, high=100),
    address.Field(key="sh_t_saving", kind="float", default=20.0, low=0, high=100),
    address.Field(key="sh_residency", kind="flag", default=False),
    address.Field(key="sh_korean_pay", kind="flag", default=False),
    address.Field(key="sh_failover", kind="flag", default=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a side, as a sentence."""

    side: Side
    text: str


def read() -> dict[str, Any]:
    """Thresholds and wishes as of this run."""
    return address.bind(FIELDS)[0]


def reasons(plan: Plan, choices: Choices, workload: Workload, values: Mapping[str, Any]) -> list[Reason]:
    """Every rule that applies to this input, the decisive ones (cost) first."""
    found = [*_cost_reasons(plan, values), *_operation_reasons(plan, choices, values)]
    if values["sh_residency"]:
        found.append(Reason(side="rent", text=tr("self_host.rule_residency")))
    if values["sh_korean_pay"]:
        found.append(Reason(side="gateway", text=tr("self_host.rule_korean_pay")))
    if values["sh_failover"]:
        found.append(Reason(side="gateway", text=tr("self_host.rule_failover")))
    if workload.batch_share >= 0.5:
        found.append(Reason(side="call", text=tr("self_host.rule_batch", share=fmt().percent(workload.batch_share))))
    return found


def _cost_reasons(plan: Plan, values: Mapping[str, Any]) -> list[Reason]:
    if plan.best is None or plan.api is None:
        return []
    rent, call = plan.best.fleet.tco_usd_per_month, plan.api.usd_per_month
    saving = 1 - min(rent, call) / max(rent, call)
    side: Side = "rent" if rent < call else "call"
    key = "clear" if saving * 100 >= values["sh_t_saving"] else "close"
    text = tr(
        f"self_host.rule_{side}_{key}", rent=fmt().money_short(rent), call=fmt().money_short(call),
        saving=fmt().percent(saving),
    )  # fmt: skip
    return [Reason(side=side, text=text)]


def _operation_reasons(plan: Plan, choices: Choices, values: Mapping[str, Any]) -> list[Reason]:
    found = []
    if choices.operations.staff_fte < values["sh_t_staff"]:
        text = tr("self_host.rule_staff", have=f"{choices.operations.staff_fte:g}", need=f"{values['sh_t_staff']:g}")
        found.append(Reason(side="call", text=text))
    if plan.best is not None:
        share = plan.best.fleet.utilization
        low = share * 100 < values["sh_t_util"]
        key = "low" if low else "high"
        found.append(
            Reason(side="call" if low else "rent", text=tr(f"self_host.rule_util_{key}", share=fmt().percent(share)))
        )
    return found


def draw(found: Sequence[Reason]) -> None:
    """The verdict as three short lists, only those with reasons."""
    icons = {"rent": "dns", "call": "api", "gateway": "alt_route"}
    for side in ("rent", "call", "gateway"):
        texts = [one.text for one in found if one.side == side]
        if texts:
            st.markdown(
                f":material/{icons[side]}: **{tr(f'self_host.side_{side}')}**\n\n" + "\n".join(f"- {t}" for t in texts)
            )


def draw_thresholds() -> None:
    """The rules' thresholds and the reader's wishes."""
    with st.expander(tr("self_host.thresholds")):
        one, two, three = st.columns(3)
        one.number_input(tr("self_host.t_staff"), 0.0, 10.0, step=0.1, key="sh_t_staff", format="%.4g")
        two.number_input(tr("self_host.t_util"), 0.0, 100.0, step=5.0, key="sh_t_util", format="%.4g")
        three.number_input(tr("self_host.t_saving"), 0.0, 100.0, step=5.0, key="sh_t_saving", format="%.4g")
        st.toggle(tr("self_host.residency"), key="sh_residency")
        st.toggle(tr("self_host.korean_pay"), key="sh_korean_pay")
        st.toggle(tr("self_host.failover"), key="sh_failover")
