"""Which figures of a switch does a table hold: what it is worth, month by month, and the article beside the truth?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.costs.article import roi_example
from core.costs.roi_plan import Switch, running_sums
from core.costs.roi_report import PaybackKind, RoiKind, RoiReport
from pages.parts import tables
from pages.parts.roi_case import Case
from pages.parts.roi_charts import ALL_LOST, irr_text, payback_text, percent
from pages.parts.state import fmt, tr
from pages.parts.widgets import share_text


def figures(case: Case) -> list[dict[str, str]]:
    """Every figure by name with its value, and a reason where there is none."""
    show, switch, report = fmt(), case.switch, case.switch.report
    rows = [
        ("tco_now", show.money(switch.baseline_tco_usd), ""),
        ("tco_new", show.money(switch.new_tco_usd), ""),
        ("saving", show.money(switch.savings_usd_per_month), percent(switch.savings_share)),
        ("roi", percent(report.roi_share), roi_reason(report.roi_kind)),
        ("annualised", percent(report.annualised_roi_share), roi_reason(report.annualised_roi_kind)),
        ("payback", payback_text(report.payback_months, switch), payback_reason(switch)),
        (
            "discounted_payback", payback_text(report.discounted_payback_months, switch),
            _discounted_reason(switch),
        ),
        ("npv", show.money(report.npv_usd), tr("roi.at_rate", rate=_rate(case))),
        ("irr", irr_text(report), _irr_reason(report)),
    ]  # fmt: skip
    found = [{"name": tr(f"roi.figure_{key}"), "value": value, "note": note} for key, value, note in rows]
    return found + _chances(case)


def figure_columns() -> list[tables.Column]:
    """Columns for `figures`."""
    return [
        tables.Column(field="name", label=tr("roi.figure"), width="medium"),
        tables.Column(field="value", label=tr("roi.value"), width="medium"),
        tables.Column(field="note", label=tr("roi.note"), width="large"),
    ]


def _rate(case: Case) -> str:
    return fmt().percent(case.switch.terms.annual_discount_rate, 1)


def _chances(case: Case) -> list[dict[str, str]]:
    show, outcomes = fmt(), case.outcomes
    if outcomes is None:
        return [{"name": tr("roi.figure_chance"), "value": "–", "note": tr("roi.chance_none")}]
    paybacks = (outcomes.payback_p10_months, outcomes.payback_p50_months, outcomes.payback_p90_months)
    return [
        {
            "name": tr("roi.figure_chance"),
            "value": share_text(outcomes.paid_back_share),
            "note": tr("roi.chance_note", paths=show.number(outcomes.path_count)),
        },
        {
            "name": tr("roi.figure_payback_band"),
            "value": " · ".join(payback_text(one, case.switch) for one in paybacks),
            "note": tr("roi.payback_band_note"),
        },
        {
            "name": tr("roi.figure_npv_band"),
            "value": " – ".join(show.money_short(one) for one in (outcomes.npv_p10_usd, outcomes.npv_p90_usd)),
            "note": tr("roi.npv_band_note", share=share_text(outcomes.npv_positive_share)),
        },
    ]


def _irr_reason(report: RoiReport) -> str:
    """Why there is no rate of return, or that it is one that is paid."""
    if report.irr.kind == "several":
        rates = ", ".join(fmt().percent(rate, 2) for rate in report.irr.rates_per_month[:4])
        return tr("roi.irr_several", rates=rates)
    if report.irr.kind == "none":
        return tr("roi.why_nothing_saved" if report.payback_kind == "nothing_saved" else "roi.irr_none")
    if report.irr_per_year is None:
        return tr("roi.why_too_large")
    if report.irr_note:
        return tr("roi.irr_inflow_first")
    return tr("roi.irr_lost") if report.irr_per_year < ALL_LOST else ""


def roi_reason(kind: RoiKind) -> str:
    """Why a return has no value, in the reader's language."""
    return "" if kind == "known" else tr(f"roi.why_{kind}")


def payback_reason(switch: Switch) -> str:
    """Why there is no payback within the horizon, and about when there would be, in the reader's language."""
    kind, last = switch.report.payback_kind, float(switch.flows_usd[-1])
    if kind == "paid_back":
        return ""
    if kind == "never" and last > 0:
        month = switch.months - switch.report.net_usd / last
        return tr("roi.why_later", month=fmt().compact(month)) if math.isfinite(month) else tr("roi.why_never")
    if kind == "never" and switch.report.investment_usd == 0:
        return tr("roi.why_dearer")
    return tr(f"roi.why_{kind}")


def _discounted_reason(switch: Switch) -> str:
    kind: PaybackKind = switch.report.discounted_payback_kind
    if kind == "paid_back":
        return ""
    if kind == "never" and switch.flows_usd[-1] > 0:
        return tr("roi.why_never_discounted")
    return payback_reason(switch) if kind == switch.report.payback_kind else tr(f"roi.why_{kind}")


def month_columns() -> list[tables.Column]:
    """Columns of the cash flow table."""
    money = ("before", "after", "fee", "flow", "running", "discounted")
    return [
        tables.Column(field="number", label=tr("roi.axis_month"), kind="number", pinned=True),
        tables.Column(field="month", label=tr("roi.col_calendar")),
        *(tables.Column(field=name, label=tr(f"roi.col_{name}"), kind="money", digits=2) for name in money),
    ]


def months(case: Case) -> list[Mapping[str, Any]]:
    """The cash flow of every month, the migration in month 0."""
    switch = case.switch
    running, discounted = running_sums(switch)
    before, after = switch.baseline.monthly_usd, switch.new.monthly_usd
    rows: list[Mapping[str, Any]] = []
    for number, flow in enumerate(switch.flows_usd.tolist()):
        is_start = number == 0
        rows.append(
            {
                "number": number,
                "month": tr("roi.start") if is_start else f"{case.starts[number - 1]:%Y-%m}",
                "before": None if is_start else float(before[number - 1]),
                "after": None if is_start else float(after[number - 1]),
                "fee": switch.terms.migration_usd if is_start else switch.terms.fee_usd_per_month,
                "flow": flow,
                "running": float(running[number]),
                "discounted": float(discounted[number]),
            }
        )
    return rows


def article() -> None:
    """The article's printed figures, reproduced, and beside each what it should say and why."""
    names = ("figure", "printed", "should", "why")
    columns = [tables.Column(field=name, label=tr(f"roi.article_{name}")) for name in names]
    st.caption(tr("roi.article_intro"))
    tables.small_table(article_rows(), columns)


def article_rows() -> Sequence[Mapping[str, str]]:
    """Printed beside right, in USD as the article writes them."""
    one, show = roi_example(), fmt()
    usd = {
        name: f"${show.number(getattr(one, name))}"
        for name in ("current_usd", "gateway_total_usd", "saving_usd_per_month", "saving_usd_per_year")
    }
    rows = [(key, usd[key], usd[key], "") for key in usd]
    rows.insert(
        3, ("saving_share", show.percent(one.printed_saving_share, 1), show.percent(one.saving_share_after_fee, 1), "y")
    )
    rows += [
        ("roi_printed", f"{show.number(one.printed_roi_percent)}%", tr("roi.undefined"), "y"),
        ("roi_fees", "–", show.percent(one.roi_share_on_year_of_fees), "y"),
        ("roi_spend", "–", show.percent(one.roi_share_on_gateway_spend, 1), "y"),
    ]
    return [
        {
            "figure": tr(f"roi.article_{key}"),
            "printed": printed,
            "should": should,
            "why": tr(f"roi.article_why_{key}") if has_why else tr("roi.article_right"),
        }
        for key, printed, should, has_why in rows
    ]
