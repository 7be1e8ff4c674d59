"""How does every chart look the same, say its point in its title, and stay readable without colour?"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.settings import PROJECT
from pages.parts.state import tr

ROLES: Mapping[str, int] = {"rent": 0, "call": 1, "gateway": 2}
"""Place in the palette of the three hues that mean the same on every page."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon", "pentagon", "bowtie")
HEIGHT_PX = 360


@cache
def _palettes() -> dict[str, list[str]]:
    theme = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    return {mode: list(theme[mode]["chartCategoricalColors"]) for mode in ("light", "dark")}


def palette() -> list[str]:
    """The ten colours of the reader's theme, as Streamlit's configuration names them."""
    return _palettes()["dark" if st.context.theme.type == "dark" else "light"]


def colour(name: str, known: Sequence[str] = ()) -> str:
    """Colour of a role (`rent`, `call`, `gateway`), else a stable one for a name within `known`."""
    colours = palette()
    if name in ROLES:
        return colours[ROLES[name]]
    place = list(known).index(name) if name in known else sum(map(ord, name))
    return colours[place % len(colours)]


def see_through(hex_colour: str, opacity: float) -> str:
    """A `#rrggbb` colour with opacity (0 to 1), for bands."""
    red, green, blue = (int(hex_colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def figure(
    data: Sequence[Mapping[str, Any]] = (),
    layout: Mapping[str, Any] | None = None,
    *,
    height_px: int = HEIGHT_PX,
    log_x: bool = False,
    log_y: bool = False,
    show_legend: bool = False,
) -> go.Figure:
    """A figure with this program's margins, legend below, and grid; `layout` adds to or replaces its parts.

    Building it from whole dictionaries takes 2 ms, building it up by updates 13: on a slider's way, pass everything.
    """
    given = dict(layout or {})
    base = {
        # The front end brings the theme; Plotly's own template would travel with every rerun (3.7 kB of 6).
        "template": {"data": {}},
        "height": height_px,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": show_legend,
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.18, "xanchor": "left", "x": 0},
        "hovermode": "closest",
        "dragmode": False,
        "xaxis": _axis(is_log=log_x) | given.pop("xaxis", {}),
        "yaxis": _axis(is_log=log_y) | given.pop("yaxis", {}),
    }
    return go.Figure(data=list(data), layout=base | given)


def _axis(*, is_log: bool) -> dict[str, Any]:
    # One label per decade: the digits between them only clutter.
    return {"automargin": True, "type": "log", "dtick": 1} if is_log else {"automargin": True}


def show(
    fig: go.Figure,
    *,
    title: str,
    unit: str,
    key: str,
    numbers: pd.DataFrame | None = None,
    on_select: Any = "ignore",
) -> Any:
    """Draws a chart under its takeaway and unit, with the same numbers one click away when given."""
    st.markdown(f"**{title}**")
    st.caption(unit)
    event = st.plotly_chart(
        fig,
        key=key,
        width="stretch",
        theme="streamlit",
        config={"displayModeBar": False, "scrollZoom": False},
        on_select=on_select,
        alt=title,
    )
    if numbers is not None:
        body = st.expander(tr("common.chart_numbers"), on_change="rerun", key=f"{key}_numbers")
        if body.open:
            body.dataframe(numbers, hide_index=True, key=f"{key}_table", alt=title)
    return event
