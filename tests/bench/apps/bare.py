"""The floor: one slider, one metric and one chart.

BARE_SPEC names a file with a chart to draw (else four lines over 36 months), BARE_FREEZE=1 freezes garbage collection.
pandas is loaded, as it is in every program that shows a table.
"""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

MONTHS, LINES = 36, 4


@st.cache_resource
def _frozen() -> bool:
    pd.DataFrame()
    if os.environ.get("BARE_FREEZE") == "1":
        gc.collect()
        gc.freeze()
        return True
    return False


@st.cache_resource
def _spec() -> dict[str, Any] | None:
    path = os.environ.get("BARE_SPEC")
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else None


_frozen()
load = st.slider("Load", 1, 1000, 100, key="slider")
st.metric("Cost", load * 2.5)
spec = _spec()
fig = go.Figure(spec)
if spec is None:
    for line in range(LINES):
        fig.add_trace(go.Scatter(x=list(range(MONTHS)), y=[month * load * (line + 1) for month in range(MONTHS)]))
else:
    fig.layout.meta = load
st.plotly_chart(fig, key="chart")
