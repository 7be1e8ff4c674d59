"""Which of the article's discounts are real for this workload, and which of its task picks are cheap?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog.aliases import UnknownModelError
from core.catalog.llm_article import article_discounts, task_picks
from core.costs.tokens import hour_extremes, unit_prices
from core.costs.tokens_mix import blended_usd_per_mtok, mix_of
from core.money import MICRO
from core.workload import Workload
from pages.parts import address, tables, widgets
from pages.parts.model_prices_bills import bills, now, sheets
from pages.parts.model_prices_data import label, labels
from pages.parts.state import catalog, fmt, tr
from pages.parts.tables import Column


def discounts(workload: Workload) -> None:
    """The article's "original against gateway" beside today's list price for this workload's mix."""
    rows: list[dict[str, Any]] = []
    for one in article_discounts():
        sheet = catalog().llm.sheet(one.model)
        off_peak = hour_extremes(sheet, now())[0]
        prices = unit_prices(sheet, off_peak)
        blended = blended_usd_per_mtok(sheet, mix_of(workload), off_peak)
        rows.append(
            {
                "name": one.name,
                "original": float(one.original_usd_per_mtok),
                "gateway": float(one.gateway_usd_per_mtok),
                "printed": float(one.printed_discount_share),
                "input": None if prices.input is None else prices.input / MICRO,
                "output": None if prices.output is None else prices.output / MICRO,
                "blended": blended,
                "real": one.real_discount_share(blended),
                "original_is": _what_it_is(one.what_original_is),
                "gateway_is": _what_it_is(one.what_gateway_is),
            }
        )
    real = [row for row in rows if row["real"] is not None and row["real"] > 0]
    title = tr("model_prices.article_title", count=len(real), total=len(rows))
    st.markdown(f"**{title}**")
    st.caption(tr("model_prices.article_note"))
    columns = [
        Column(field="name", label=tr("model_prices.model"), pinned=True),
        Column(field="original", label=tr("model_prices.original"), kind="money", unit="/Mtok", digits=2),
        Column(field="gateway", label=tr("model_prices.gateway"), kind="money", unit="/Mtok", digits=2),
        Column(field="printed", label=tr("model_prices.printed"), kind="share"),
        Column(field="input", label=tr("model_prices.list_input"), kind="money", unit="/Mtok", digits=2),
        Column(field="output", label=tr("model_prices.list_output"), kind="money", unit="/Mtok", digits=2),
        Column(field="blended", label=tr("model_prices.list_blended"), kind="money", unit="/Mtok", digits=2),
        Column(field="real", label=tr("model_prices.real"), kind="share", help=tr("model_prices.real_help")),
        Column(field="original_is", label=tr("model_prices.original_is")),
        Column(field="gateway_is", label=tr("model_prices.gateway_is")),
    ]
    tables.table(rows, columns, key="mp_article_table", alt=tr("model_prices.view_article"))


def _what_it_is(what: str) -> str:
    return tr(f"model_prices.is_{what.replace(' ', '_').replace('.', '_').lower()}")


def take_tasks() -> None:
    """Takes the task picks from the address, the article's where it names none."""
    address.bind(
        [
            address.Field(
                key=f"mp_task_{task}", kind="choice", default=_key(model), options=list(sheets()), named=label
            )
            for task, model in task_picks().items()
        ]
    )


def tasks(workload: Workload) -> None:
    """A model for each kind of task, editable, ranked by the workload's bill."""
    picked = [str(st.session_state[f"mp_task_{task}"]) for task in task_picks()]
    by_key = {one.key: one for one in bills(workload, picked)}
    cells = st.columns(4)
    for cell, task in zip(cells, task_picks(), strict=True):
        cell.selectbox(
            tr(f"model_prices.task_{task}"), list(sheets()), key=f"mp_task_{task}", format_func=labels().__getitem__
        )
    rows: list[dict[str, Any]] = []
    for task in task_picks():
        key = str(st.session_state[f"mp_task_{task}"])
        one = by_key.get(key)
        rows.append(
            {
                "task": tr(f"model_prices.task_{task}"),
                "name": label(key),
                "usd_per_month": one.usd_per_month if one else None,
                "blended": one.blended_usd_per_mtok if one else None,
                "status": tr("model_prices.status_retired") if one and one.is_retired else "",
            }
        )
    rows.sort(key=lambda row: (row["usd_per_month"] is None, row["usd_per_month"]))
    known = [row for row in rows if row["usd_per_month"] is not None]
    if known:
        amount = fmt().money_short(known[0]["usd_per_month"])
        title = tr("model_prices.tasks_title", task=known[0]["task"], amount=widgets.plain(amount))
        st.markdown(f"**{title}**")
    columns = [
        Column(field="task", label=tr("model_prices.task"), pinned=True),
        Column(field="name", label=tr("model_prices.model")),
        Column(field="usd_per_month", label=tr("model_prices.bill"), kind="money", digits=2),
        Column(field="blended", label=tr("model_prices.blended"), kind="money", unit="/Mtok", digits=4),
        Column(field="status", label=tr("model_prices.status")),
    ]
    tables.table(rows, columns, key="mp_tasks_table", alt=tr("model_prices.view_tasks"))


def _key(model: str) -> str:
    try:
        return catalog().llm.resolve(model)
    except UnknownModelError:
        return next(iter(sheets()))
