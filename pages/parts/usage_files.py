"""Which files are in the log, how is one taken out again, and what is there to look at before the first?"""

from __future__ import annotations

import time

import streamlit as st

from core.catalog.database import DatabaseProblem
from core.usage.files import SAMPLE_TOOL, imported_files, remove_import
from core.usage.rollup import choices
from core.usage.sample import load_sample
from pages.parts import address, widgets
from pages.parts.state import catalog, fmt, tr
from pages.parts.usage_data import engine, prices_of
from pages.parts.usage_import import SAID
from pages.parts.usage_inputs import SOURCE, day_of, default_source, span_text


def show_files() -> None:
    """Every import with a button that takes it out again."""
    for file in imported_files(engine()):
        name = tr("usage.tool_sample") if file.tool == SAMPLE_TOOL else widgets.plain(file.file_name)
        with st.container(horizontal=True, vertical_alignment="center"):
            text = tr(
                "usage.file_line", name=name, tool=tr(f"usage.tool_{file.tool}"), count=fmt().number(file.row_count),
                span=span_text(day_of(file.first_ms), day_of(file.last_ms)),
            )  # fmt: skip
            st.markdown(text, width="stretch")
            st.button(
                tr("usage.remove"), key=f"usage_remove_{file.import_id}", icon=":material/delete:", type="tertiary",
                on_click=_remove, args=(file.import_id,),
            )  # fmt: skip


def _remove(import_id: int) -> None:
    try:
        remove_import(engine(), import_id)
    except DatabaseProblem as problem:
        st.session_state[SAID] = tr(f"common.database_{problem.reason}")
        return
    address.set_value(SOURCE, default_source(choices(engine())))
    st.session_state[SAID] = tr("usage.removed")


def sample_button() -> None:
    """Loads the invented log, so that a newcomer sees every figure of the page."""
    st.button(tr("usage.load_sample"), key="usage_load_sample", icon=":material/science:", on_click=_load_sample)


def _load_sample() -> None:
    shelf = catalog()
    try:
        address.set_value(SOURCE, "sample")
        load_sample(engine(), lambda model, kind, size: prices_of(shelf, model, kind, size), now_s=time.time())
    except DatabaseProblem as problem:
        st.session_state[SAID] = tr(f"common.database_{problem.reason}")
