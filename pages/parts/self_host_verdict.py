"""Who should rent, who should call, who should go through a gateway: the rules as sentences, and their thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.costs.selfhost_verdict import Side, Situation, Thresholds, rules, saving_share
from core.workload import Workload
from pages.parts import address
from pages.parts.self_host_inputs import Choices
from pages.parts.self_host_plan import Plan
from pages.parts.state import fmt, tr

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
    """Every rule that applies to this input as a sentence, the decisive ones (cost) first."""
    show, best = fmt(), plan.best
    situation = Situation(
        rent_usd_per_month=best.fleet.tco_usd_per_month if best else None,
        call_usd_per_month=plan.api.usd_per_month if plan.api else None,
        utilization=best.fleet.utilization if best else None,
        staff_fte=choices.operations.staff_fte,
        batch_share=workload.batch_share,
        needs_residency=values["sh_residency"],
        needs_korean_payment=values["sh_korean_pay"],
        needs_failover=values["sh_failover"],
    )
    thresholds = Thresholds(
        staff_fte=values["sh_t_staff"], utilization=values["sh_t_util"] / 100, saving_share=values["sh_t_saving"] / 100
    )
    rent, call = situation.rent_usd_per_month, situation.call_usd_per_month
    facts = {
        "rent": show.money_short(rent), "call": show.money_short(call),
        "saving": show.percent(saving_share(rent or 0.0, call or 0.0)),
        "have": f"{situation.staff_fte:g}", "need": f"{thresholds.staff_fte:g}",
    }  # fmt: skip
    shares = {"batch": situation.batch_share}
    return [
        Reason(
            side=rule.side,
            text=tr(
                f"self_host.rule_{rule.kind}", share=show.percent(shares.get(rule.kind, situation.utilization)), **facts
            ),
        )
        for rule in rules(situation, thresholds)
    ]


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
