"""Which workload is this page about? One strip on every page: read it, edit it in place, pick a preset."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.workload import PRESETS, Workload
from pages.parts import state, widgets
from pages.parts.state import fmt, tr
from pages.parts.workload_fields import MAIN_FIELDS, MORE_FIELDS, workload_fields

ARTICLE = "article_"
"""How the names of the presets begin that are the article's rows."""


def summary(workload: Workload) -> str:
    """The workload in one line: `50K requests/mo · 1,500 in · 500 out · 30% cached · +5%/mo`, then the rarer inputs."""
    show = fmt()
    parts = [
        tr("workload.requests", count=show.compact(workload.requests_per_month)),
        tr("workload.input", count=show.number(workload.input_tokens)),
        tr("workload.output", count=show.number(workload.output_tokens)),
    ]
    if workload.cached_share:
        parts.append(tr("workload.cached", share=show.percent(workload.cached_share)))
    if workload.batch_share:
        parts.append(tr("workload.batch", share=show.percent(workload.batch_share)))
    if workload.growth_per_month:
        sign = "+" if workload.growth_per_month > 0 else ""
        parts.append(tr("workload.growth", share=sign + _percent(workload.growth_per_month)))
    if workload.seasonality:
        parts.append(tr("workload.season", share=_percent(workload.seasonality)))
    if workload.retry_share:
        parts.append(tr("workload.retries", share=_percent(workload.retry_share)))
    if workload.budget_usd_per_month is not None:
        parts.append(tr("workload.budget", amount=show.money_short(workload.budget_usd_per_month)))
    return " · ".join(parts)


def _percent(share: float) -> str:
    """One decimal where there is one."""
    return fmt().percent(share, 1).replace(".0%", "%")


def name_of(workload: Workload) -> str:
    """What the workload is called: a preset, in the reader's language, only while it is unchanged."""
    if workload.name not in PRESETS:
        return workload.name
    return tr(f"workload.preset_{workload.name}") if replace(workload, name="") == PRESETS[workload.name] else ""


def workload_bar(*, has_editor: bool = True) -> Workload:
    """Draws the strip and returns the workload; every page draws it first in its `block`, above its title.

    A page that shows the fields itself (`workload_fields`) passes `has_editor=False`.
    """
    workload, problems = state.read_workload()
    with st.container(horizontal=True, vertical_alignment="center", key="wl_bar"):
        name, line = widgets.plain(name_of(workload)), summary(workload).replace("$", r"\$")
        st.markdown(f":material/tune: {f'**{name}** · ' if name else ''}{line}", width="stretch")
        if has_editor:
            editor = st.popover(
                tr("workload.edit"), icon=":material/edit:", on_change="rerun", key="wl_edit",
                help=tr("workload.edit_help"),
            )  # fmt: skip
            if editor.open:
                with editor:
                    workload_fields((*MAIN_FIELDS, *MORE_FIELDS))
        st.menu_button(
            tr("workload.presets"), list(PRESETS), key="wl_preset", icon=":material/inventory_2:",
            format_func=lambda key: tr(f"workload.preset_{key}"), on_click=_take_preset,
        )  # fmt: skip
    if name_of(workload) and workload.name.startswith(ARTICLE):
        st.caption(tr("workload.article_note"))
    widgets.show_problems(problems, {one.field: tr(f"workload.field_{one.field}") for one in problems})
    return workload


def _take_preset() -> None:
    key = str(st.session_state.get("wl_preset"))
    if key in PRESETS:
        state.set_workload(replace(PRESETS[key], name=key))
