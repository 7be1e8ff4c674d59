"""Which plans are kept by name, and how do two of them compare?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.catalog.scenarios import Scenario, ScenarioError, Scenarios
from core.costs.monthly import Simulation
from pages.parts import planning, state, tables, widgets
from pages.parts.monthly_charts import plain_money
from pages.parts.monthly_tables import three_digits
from pages.parts.state import fmt, tr
from pages.parts.tables import Column
from pages.parts.workload_bar import name_of

SAID = "monthly_cost_said"
NAME, CHOSEN = "monthly_cost_save_name", "monthly_cost_saved_plan"
FILE = "monthly_cost_import"


def store() -> Scenarios:
    """The scenarios of this program's database."""
    return Scenarios(state.catalog().engine)


def show_saved() -> None:
    """Save, list, open, copy, delete, export, import and compare plans."""
    _say()
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.text_input(tr("monthly_cost.save_name"), key=NAME, max_chars=80, placeholder=name_of(state.workload()))
    right.button(
        tr("monthly_cost.save"), key="monthly_cost_save", type="primary", on_click=_save, icon=":material/save:",
        width="stretch",
    )  # fmt: skip
    saved = store().all()
    if not saved:
        widgets.show_empty(tr("monthly_cost.no_saved_title"), tr("monthly_cost.no_saved_body"))
    else:
        _list(saved)
    _files(saved)
    if len(saved) >= 2:
        _compare(saved)
    elif saved:
        st.caption(tr("monthly_cost.compare_need_two"))


def _say() -> None:
    """What the last action did or why it was refused."""
    kind, sentence = st.session_state.pop(SAID, ("", ""))
    if kind == "done":
        st.success(sentence, icon=":material/check:")
    elif kind:
        st.error(sentence, icon=":material/error:")


def _try(action: Callable[[], str]) -> None:
    """Runs an action of a callback; a refusal becomes one sentence."""
    try:
        st.session_state[SAID] = ("done", widgets.plain(action()))
    except ScenarioError as error:
        text = tr(f"monthly_cost.error_{error.kind}", field=error.field, given=error.given)
        st.session_state[SAID] = ("refused", widgets.plain(text))


def _save() -> None:
    def action() -> str:
        name = st.session_state.get(NAME) or name_of(state.workload())
        kept = store().save(name, state.workload(), planning.parameters())
        return tr("monthly_cost.saved_now", name=kept.name)

    _try(action)


def _list(saved: Sequence[Scenario]) -> None:
    columns = [
        Column(field="name", label=tr("monthly_cost.saved_plan"), width="medium"),
        Column(field="requests", label=tr("monthly_cost.requests"), kind="number"),
        Column(field="months", label=tr("monthly_cost.plan_months"), kind="number"),
        Column(field="saved_at", label=tr("monthly_cost.saved_at"), kind="date"),
    ]
    rows = [
        {
            "name": one.name,
            "requests": one.workload.requests_per_month,
            "months": one.workload.horizon_months,
            "saved_at": one.saved_at,
        }
        for one in saved
    ]
    tables.table(rows, columns, key="monthly_cost_saved_table", alt=tr("monthly_cost.view_saved"), height="content")
    names = [one.name for one in saved]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(tr("monthly_cost.saved_plan"), names, key=CHOSEN)
        st.button(tr("monthly_cost.open_plan"), key="monthly_cost_open", on_click=_open)
        st.button(tr("monthly_cost.copy_plan"), key="monthly_cost_copy", on_click=_copy)
        st.button(tr("monthly_cost.delete_plan"), key="monthly_cost_delete", on_click=_delete)


def _open() -> None:
    try:
        chosen = store().get(str(st.session_state.get(CHOSEN)))
    except ScenarioError as error:
        st.session_state[SAID] = ("refused", widgets.plain(tr(f"monthly_cost.error_{error.kind}", given=error.given)))
        return
    state.set_workload(chosen.workload)
    planning.set_parameters(chosen.parameters)


def _copy() -> None:
    def action() -> str:
        name = str(st.session_state.get(CHOSEN))
        taken = {one.name for one in store().all()}
        wanted = tr("monthly_cost.copy_name", name=name)
        number = 2
        while wanted in taken:
            wanted = tr("monthly_cost.copy_name_n", name=name, number=number)
            number += 1
        return tr("monthly_cost.saved_now", name=store().copy(name, wanted).name)

    _try(action)


def _delete() -> None:
    def action() -> str:
        name = str(st.session_state.get(CHOSEN))
        store().delete(name)
        return f"{tr('monthly_cost.delete_plan')}: {name}"

    _try(action)


def _files(saved: Sequence[Scenario]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if saved:
            st.download_button(
                tr("monthly_cost.export_plans"),
                data=lambda: store().export(),
                file_name=f"breakeven-plans-{dt.datetime.now(dt.UTC):%Y-%m-%d}.json",
                mime="application/json",
                key="monthly_cost_export",
                on_click="ignore",
                icon=":material/download:",
            )
        importer = st.popover(tr("monthly_cost.import_plans"), on_change="rerun", key="monthly_cost_import_open")
        if importer.open:
            importer.file_uploader(tr("monthly_cost.import_plans"), type=["json"], key=FILE, on_change=_import)


def _import() -> None:
    uploaded: Any = st.session_state.get(FILE)
    if uploaded is None:
        return

    def action() -> str:
        found, problems = store().load(uploaded.getvalue())
        sentences = [tr("monthly_cost.imported", count=len(found)), *map(widgets.problem_text, problems[:5])]
        return " ".join(sentences)

    _try(action)


def _compare(saved: Sequence[Scenario]) -> None:
    by_name = {one.name: one for one in saved}
    names = list(by_name)
    left, right = st.columns(2)
    first = left.selectbox(tr("monthly_cost.compare_a"), names, index=0, key="monthly_cost_compare_a")
    second = right.selectbox(tr("monthly_cost.compare_b"), names, index=1, key="monthly_cost_compare_b")
    if first not in by_name or second not in by_name:
        return
    pair = [
        (name, planning.simulate_saved(by_name[name].workload, by_name[name].parameters)) for name in (first, second)
    ]
    totals = [_best_total(simulation) for _, simulation in pair]
    if totals[0] is not None and totals[1] is not None:
        title = tr(
            "monthly_cost.compare_title",
            a=widgets.plain(first),
            amount_a=plain_money(totals[0]),
            b=widgets.plain(second),
            amount_b=plain_money(totals[1]),
            difference=plain_money(totals[1] - totals[0]),
        )
        st.markdown(f"**{title}**")
    rows = _compare_rows(pair)
    columns = [
        Column(field="way", label=tr("monthly_cost.way"), width="medium"),
        *(Column(field=f"total{k}", label=f"{name}: {tr('monthly_cost.plan_total')}", kind="money", digits=2)
          for k, (name, _) in enumerate(pair)),
        *(Column(field=f"p90{k}", label=f"{name}: {tr('monthly_cost.p90')}", kind="money")
          for k, (name, _) in enumerate(pair)),
    ]  # fmt: skip
    tables.table(rows, columns, key="monthly_cost_compare_table", alt=tr("monthly_cost.compare_alt"), height="content")
    st.caption(
        f"{first}: {fmt().number(len(pair[0][1].starts))} · {second}: {fmt().number(len(pair[1][1].starts))} "
        f"({tr('monthly_cost.plan_months')})"
    )


def _best_total(simulation: Simulation) -> float | None:
    best = simulation.cheapest
    return None if best is None else best.total_usd


def _compare_rows(pair: Sequence[tuple[str, Simulation]]) -> list[dict[str, Any]]:
    names = dict.fromkeys(way.name for _, simulation in pair for way in simulation.ways)
    rows = []
    for name in names:
        row: dict[str, Any] = {"way": name}
        for place, (_, simulation) in enumerate(pair):
            way = next((one for one in simulation.ways if one.name == name), None)
            band = None if way is None else way.total_band
            row[f"total{place}"] = None if way is None else way.total_usd
            row[f"p90{place}"] = None if band is None else three_digits(float(band.p90))
        rows.append(row)
    return rows
