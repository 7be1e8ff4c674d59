"""Where do the article's figures come from, and what would the same volumes cost today?"""

from __future__ import annotations

import datetime as dt
from functools import partial

import streamlit as st

from core.costs.article import ReproducedRow, reproduced_rows, roi_example
from core.costs.tokens import NoPriceError, TokenUsage
from pages.parts import state, tables, ways
from pages.parts.state import fmt, tr
from pages.parts.tables import Column

LIST_MODELS = ("google/gemini-2.5-flash", "openai/gpt-4.1", "openai/gpt-4o")
INPUT_SHARE = 0.75


def show_article() -> None:
    """The article's table from its assumptions, the figure that follows from none, and today's list prices."""
    rows = reproduced_rows()
    st.markdown(tr("monthly_cost.article_intro").replace("$", r"\$"))
    tables.table(
        [_row(row) for row in rows], _columns(), key="monthly_cost_article_table", alt=tr("monthly_cost.article_alt"),
        height="content",
    )  # fmt: skip
    off = next(row for row in rows if row.misprints)
    dollars = partial("${:,.0f}".format)
    sentence = tr(
        "monthly_cost.article_misprint", printed=dollars(off.printed.direct_usd), computed=dollars(off.direct_usd)
    )
    st.markdown(sentence.replace("$", r"\$"))
    st.markdown(tr("monthly_cost.article_list"))
    known = [key for key in LIST_MODELS if key in state.catalog().llm.sheets()]
    columns = [
        Column(field="row", label=tr("monthly_cost.article_row")),
        Column(field="mtok", label=tr("monthly_cost.article_mtok"), kind="number"),
        *(Column(field=key, label=ways.label_of(key), kind="number", unit="$", digits=2) for key in known),
    ]
    tables.table(
        [_list_row(row, known) for row in rows], columns, key="monthly_cost_article_list",
        alt=tr("monthly_cost.article_list_alt"), height="content",
    )  # fmt: skip
    roi = roi_example()
    st.caption(
        tr(
            "monthly_cost.article_roi",
            year=f"${roi.saving_usd_per_year:,.0f}",
            printed=fmt().number(roi.printed_roi_percent),
            fees=fmt().percent(roi.roi_share_on_year_of_fees),
            spend=fmt().percent(roi.roi_share_on_gateway_spend, 1),
        ).replace("$", r"\$")
    )


def _columns() -> list[Column]:
    """The article prints dollars, so its rows stay in dollars whatever the reader's currency."""
    label = "monthly_cost.article_"
    return [
        Column(field="row", label=tr(f"{label}row")),
        Column(field="mtok", label=tr(f"{label}mtok"), kind="number"),
        Column(field="gateway", label=tr(f"{label}gateway"), kind="number", unit="$", digits=2),
        Column(field="direct", label=tr(f"{label}direct"), kind="number", unit="$", digits=2),
        Column(field="direct_printed", label=tr(f"{label}direct_printed"), kind="number", unit="$", digits=2),
        Column(field="saving", label=tr(f"{label}saving"), kind="number", unit="$", digits=2),
        Column(field="saving_printed", label=tr(f"{label}saving_printed"), kind="number", unit="$", digits=2),
        Column(field="percent", label=tr(f"{label}percent"), kind="share"),
        Column(field="percent_printed", label=tr(f"{label}percent_printed"), kind="share"),
        Column(field="note", label=tr(f"{label}note")),
    ]


def _row(row: ReproducedRow) -> dict[str, object]:
    return {
        "row": tr(f"monthly_cost.article_{row.printed.scenario}"),
        "mtok": float(row.printed.mtok_per_month),
        "gateway": float(row.gateway_usd),
        "direct": float(row.direct_usd),
        "direct_printed": float(row.printed.direct_usd),
        "saving": float(row.saving_usd),
        "saving_printed": float(row.printed.saving_usd),
        "percent": row.saving_percent / 100,
        "percent_printed": row.printed.saving_percent / 100,
        "note": tr("monthly_cost.article_note_off" if row.misprints else "monthly_cost.article_note_ok"),
    }


def _list_row(row: ReproducedRow, models: list[str]) -> dict[str, object]:
    printed = row.printed
    found: dict[str, object] = {
        "row": tr(f"monthly_cost.article_{printed.scenario}"),
        "mtok": float(printed.mtok_per_month),
    }
    per_request_input = round(printed.tokens_per_request * INPUT_SHARE)
    usage = TokenUsage(input_tokens=per_request_input, output_tokens=printed.tokens_per_request - per_request_input)
    for key in models:
        try:
            cost = state.catalog().quote(key, usage, at=dt.datetime.now(dt.UTC)).cost_usd
        except NoPriceError:
            found[key] = None
        else:
            found[key] = float(cost * printed.requests_per_month)
    return found
