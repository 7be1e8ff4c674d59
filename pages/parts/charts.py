"""How does every chart look the same, say its point in its title, and stay readable without colour?"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.settings import PROJECT
from pages.parts.state import fmt, tr

ROLES: Mapping[str, int] = {"rent": 0, "call": 1, "gateway": 2}
"""Place in the palette of the three hues that mean the same on every page."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon", "pentagon", "bowtie")
HEIGHT_PX = 360
TICKS = 5
ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


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


def line_across(*, x: float | None = None, y: float | None = None, **line: Any) -> dict[str, Any]:
    """A shape for `layout["shapes"]`: upright at `x` or level at `y`, thin and grey unless `line` says otherwise."""
    style = {"width": 1, "color": "gray"} | line
    if x is None:
        return {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": y, "y1": y, "line": style}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "y domain", "line": style}


def _axis(*, is_log: bool) -> dict[str, Any]:
    # One label per decade: the digits between them only clutter.
    return {"automargin": True, "type": "log", "dtick": 1} if is_log else {"automargin": True}


def ticks(values: Iterable[float | None], *, is_log: bool = False, from_zero: bool = True) -> dict[str, Any]:
    """Places and texts of an axis over amounts or counts, written short as the reader writes them (20K, 2만).

    One per decade on a logarithmic axis; else about five round ones, from 0 unless `from_zero` is False.
    """
    known = [float(value) for value in values if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    if is_log:
        if low <= 0:
            return {}
        places = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    else:
        low, high = (min(low, 0.0), max(high, 0.0)) if from_zero else (low, high)
        if high <= low:
            return {}
        step = _round_step((high - low) / TICKS)
        places = [number * step for number in range(math.floor(low / step), math.ceil(high / step) + 1)]
    return {"tickvals": places, "ticktext": [_short(place) for place in places]}


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return power * next(factor for factor in ROUND_STEPS if factor * power >= least * (1 - 1e-9))


def _short(place: float) -> str:
    return f"{place:.3g}" if 0 < abs(place) < 1 else fmt().compact(place)


def show(
    fig: go.Figure,
    *,
    title: str,
    unit: str,
    key: str,
    numbers: Callable[[], pd.DataFrame] | None = None,
    on_select: Any = "ignore",
) -> Any:
    """Draws a chart under its takeaway and unit; `numbers` makes the table that stands one click away."""
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
            body.dataframe(numbers(), hide_index=True, key=f"{key}_table", alt=title)
    return event
