"""How does every chart look the same, say its point in its title, and stay readable without colour?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike
from plotly.basedatatypes import BaseFigure

from core.money import HUGE
from pages.parts import tables
from pages.parts.state import fmt, tr

Numbers = tuple[tables.Rows, Sequence[tables.Column]]
"""What a chart shows, as rows and columns of a table."""

ROLES: Mapping[str, int] = {"rent": 0, "call": 1, "gateway": 2}
"""Place in the palette of the three hues that mean the same on every page."""

# Ours and not the theme's: Streamlit would send the colours of both themes with every rerun.
PALETTES: Mapping[str, tuple[str, ...]] = {
    "light": (
        "#B35900", "#0B5FA5", "#00796B", "#8E3B8A", "#6B6F1D", "#C2185B", "#3F51B5", "#5D4037", "#00838F", "#616161",
    ),
    "dark": (
        "#F5A04C", "#6DB3F2", "#4DC7B5", "#D48AD0", "#C5C75A", "#F48FB1", "#9FA8DA", "#BCAAA4", "#4DD0E1", "#BDBDBD",
    ),
}  # fmt: skip
"""Colours of lines and bars by theme: rent, call, gateway (see `ROLES`), then others; the last is for what is quiet."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
HEIGHT_PX = 360
TICKS = 5
ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MAX_MONTH_TICKS = 6
MONTH_STEPS = (1, 2, 3, 4, 6, 12, 24, 36, 60, 120)
TICK_PX, WIDE_TICK_PX, LINE_PX = 7, 13, 18
"""Width of a letter or digit and of a Korean letter in a tick's label, and the height of its line."""


def palette() -> list[str]:
    """The ten colours of the reader's theme, light or dark."""
    return list(PALETTES["dark" if st.context.theme.type == "dark" else "light"])


def page_colour() -> str:
    """The background of the reader's theme (.streamlit/config.toml), for what stands on top of lines."""
    return "#11161D" if st.context.theme.type == "dark" else "#FFFFFF"


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


class Figure(BaseFigure):  # type: ignore[misc]  # plotly has no types
    """A figure whose parts are finished dictionaries.

    Plotly would validate and copy every one of them at each rerun, 3 of a slider's 20 ms; the tests do it instead.
    """

    def __init__(self, data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> None:
        self._finished = {"data": list(data), "layout": dict(layout)}

    def to_dict(self) -> dict[str, Any]:
        return self._finished


def figure(
    data: Sequence[Mapping[str, Any]] = (),
    layout: Mapping[str, Any] | None = None,
    *,
    height_px: int = HEIGHT_PX,
    log_x: bool = False,
    log_y: bool = False,
    show_legend: bool = False,
) -> Figure:
    """A figure with this program's margins, legend below, and grid; `layout` adds to or replaces its parts."""
    given = dict(layout or {})
    x, y = _axis(is_log=log_x) | given.pop("xaxis", {}), _axis(is_log=log_y) | given.pop("yaxis", {})
    margin = {"l": 8, "r": 8, "t": 8, "b": 8} | given.pop("margin", {})
    # Room for known labels is made here: left to the front end, it draws the whole chart a second time.
    for axis, side, room_px in ((x, "b", _height_px), (y, "l", _width_px)):
        if axis.get("ticktext"):
            axis["automargin"] = False
            margin[side] += room_px(axis["ticktext"]) + (LINE_PX + 8 if axis.get("title") else 0)
    base = {
        # The front end brings the theme; Plotly's own template would travel with every rerun (3.7 kB of 6).
        "template": {"data": {}},
        "height": height_px,
        "margin": margin,
        "showlegend": show_legend,
        "dragmode": False,
        "xaxis": x,
        "yaxis": y,
    }
    if show_legend:
        base["legend"] = {"orientation": "h", "yanchor": "top", "y": -0.18, "xanchor": "left", "x": 0}
    return Figure(data, base | given)


def _width_px(labels: Sequence[str]) -> int:
    return 8 + max(sum(WIDE_TICK_PX if ord(sign) > 0x2E7F else TICK_PX for sign in label) for label in labels)


def _height_px(labels: Sequence[str]) -> int:
    return 4 + LINE_PX * max(label.count("<br>") + 1 for label in labels)


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


def month_places(count: int) -> range:
    """Which of `count` months an axis names: few enough for a phone."""
    return range(0, count, next((step for step in MONTH_STEPS if step * MAX_MONTH_TICKS >= count), count))


def amounts(values: ArrayLike, digits: int = 4) -> list[float | None]:
    """USD amounts in the reader's currency, as `rounded`."""
    return rounded((np.asarray(values, dtype=np.float64) * fmt().per_usd).tolist(), digits)


def area_path(low: Sequence[float | None], high: Sequence[float | None], top: float) -> str:
    """The area between two lines over places 0, 1, 2, ... as the path of a shape; empty where nothing is known.

    Points that lie on the straight line between others are left out, to 1.5 pixels of an axis that ends at `top`.
    """
    known = [place for place, pair in enumerate(zip(low, high, strict=True)) if None not in pair]
    if not known:
        return ""
    off = 1.5 * top / HEIGHT_PX
    below, above = ([(place, float(line[place] or 0.0)) for place in known] for line in (low, high))
    if len(known) == 1:
        place, (least, most) = known[0], (below[0][1], above[0][1])
        corners = [(place - 0.25, least), (place - 0.25, most), (place + 0.25, most), (place + 0.25, least)]
    else:
        corners = _straightened(above, off) + _straightened(below, off)[::-1]
    return "M" + "L".join(f"{place:g},{_short_number(float(f'{value:.3g}'))}" for place, value in corners) + "Z"


def _straightened(points: Sequence[tuple[float, float]], off: float) -> list[tuple[float, float]]:
    """The corners that are needed to stay within `off` of every point (Douglas and Peucker's way)."""
    (first, low), (last, high) = points[0], points[-1]
    slope = (high - low) / (last - first) if last > first else 0.0
    errors = {k: abs(points[k][1] - low - slope * (points[k][0] - first)) for k in range(1, len(points) - 1)}
    worst = max(errors, key=errors.__getitem__, default=0)
    if not errors or errors[worst] <= off:
        return [points[0], points[-1]]
    return _straightened(points[: worst + 1], off)[:-1] + _straightened(points[worst:], off)


def rounded(values: Iterable[float], digits: int = 4) -> list[float | None]:
    """Values to `digits` significant ones, more than a chart shows and half the bytes; gaps where unknown."""
    return [_short_number(float(f"{value:.{digits}g}")) if math.isfinite(value) else None for value in values]


def _short_number(value: float) -> float:
    # Whole numbers are written without ".0"; beyond 64 bits JSON's writer takes no integers.
    return int(value) if abs(value) < HUGE and value.is_integer() else value


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return power * next(factor for factor in ROUND_STEPS if factor * power >= least * (1 - 1e-9))


def _short(place: float) -> str:
    return f"{place:.3g}" if 0 < abs(place) < 1 else fmt().compact(place)


def show(
    fig: Figure,
    *,
    title: str,
    unit: str,
    key: str,
    numbers: Callable[[], Numbers] | None = None,
    on_select: Any = "ignore",
) -> Any:
    """Draws a chart under its takeaway and unit; `numbers` makes the table that stands one click away."""
    st.markdown(f"**{title}**  \n:gray[:small[{unit}]]")
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
            with body:
                rows, columns = numbers()
                tables.table(rows, columns, key=f"{key}_table", alt=title)
    return event
