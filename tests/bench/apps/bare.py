"""The floor: one slider, one metric and one chart of four lines over 36 months; BARE_FREEZE=1 freezes collection."""

from __future__ import annotations

import gc
import os

import plotly.graph_objects as go
import streamlit as st

MONTHS, LINES = 36, 4


@st.cache_resource
def _frozen() -> bool:
    if os.environ.get("BARE_FREEZE") == "1":
        gc.collect()
        gc.freeze()
        return True
    return False


_frozen()
load = st.slider("Load", 1, 1000, 100, key="slider")
st.metric("Cost", load * 2.5)
fig = go.Figure()
for line in range(LINES):
    fig.add_trace(go.Scatter(x=list(range(MONTHS)), y=[month * load * (line + 1) for month in range(MONTHS)]))
st.plotly_chart(fig, key="chart")
