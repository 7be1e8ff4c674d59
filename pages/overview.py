"""What will my workload cost, and what is the cheapest way to serve it?"""

from __future__ import annotations

import streamlit as st

from pages.parts import state
from pages.parts.state import tr
from pages.parts.workload_bar import workload_bar


@state.block
def page() -> None:
    workload_bar()


st.title(tr("shell.page_overview"))
page()
