"""What do all printed reports share? One HTML file that needs nothing else: style, tables, line charts and sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from core.costs.conventions import Floats
from pages.parts import charts, tables
from pages.parts.state import fmt, lang
from pages.parts.tables import Column, Rows

# Colours of the light theme: paper is white.
COLOURS = ("#0B5FA5", "#B35900", "#00796B", "#8E3B8A", "#6B6F1D", "#C2185B", "#3F51B5", "#5D4037")
DASHES = ("", "7 4", "2 3", "8 3 2 3", "12 4", "12 4 2 4", "4 4", "1 4")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 230, 64, 150, 14, 28
LINE_PX, NAME_CHARS = 13, 26

STYLE = """
:root{color-scheme:light}
body{font:13px/1.45 system-ui,"Noto Sans KR","Malgun Gothic",sans-serif;color:#1b2430;max-width:760px;
margin:24px auto;padding:0 12px;word-break:keep-all;overflow-wrap:anywhere}
h1{font-size:20px;margin:0 0 4px}h2{font-size:14px;margin:16px 0 4px}p{margin:4px 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:11px}
th,td{padding:1px 6px;border-bottom:1px solid #d9dee6;text-align:right;vertical-align:top}
td{white-space:nowrap}th:first-child,td:first-child,.t{text-align:left}td.t{white-space:normal;min-width:5em}
th,td{overflow-wrap:break-word}
.scroll{overflow-x:auto}
svg{width:100%;height:auto}.small{color:#56606e;font-size:11px}
@page{size:A4;margin:12mm}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}svg,tr{break-inside:avoid}
table{font-size:10px;line-height:1.2}th,td{padding:0 6px}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a chart, USD by place (NaN where unknown), with the low and high ends of its band."""

    name: str
    usd: Floats
    band: tuple[Floats, Floats] | None = None


def document(title: str, parts: Sequence[str]) -> bytes:
    """The whole file."""
    html = (
        f'<!DOCTYPE html><html lang="{lang()}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>"
    )
    return html.encode("utf-8")


def heading(text: str) -> str:
    """The heading of a section."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str) -> str:
    """A paragraph in small type."""
    return f'<p class="small">{escape(text)}</p>'


def takeaway(text: str) -> str:
    """The answer, in bold."""
    return f"<p><strong>{escape(text)}</strong></p>"


def table(rows: Rows, columns: Sequence[Column]) -> str:
    """A table in the reader's currency and units, unknown cells a dash."""
    head = "".join(f"<th{_text_class(column)}>{escape(tables.heading(column))}</th>" for column in columns)
    lines = []
    for values in tables.frame(rows, columns).itertuples(index=False):
        cells = "".join(
            f"<td{_text_class(column)}>{escape(_cell(value, column))}</td>"
            for value, column in zip(values, columns, strict=True)
        )
        lines.append(f"<tr>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _text_class(column: Column) -> str:
    return ' class="t"' if column.kind == "text" else ""


def _cell(value: Any, column: Column) -> str:
    if value is None or value != value:
        return "–"
    if isinstance(value, float):
        return fmt().number(value, tables.shown_digits(column))
    return str(value)


def lines_svg(
    lines: Sequence[Line], *, label: str, ends: tuple[str, str], mark: tuple[float, str] | None = None
) -> str:
    """A line chart with bands and names at the line ends, as inline SVG.

    `ends` stand below the first and the last place; `mark` is a place on the line of zero and what is written over it.
    """
    drawn = [part for line in lines for part in (line.usd, *(line.band or ()))]
    reached = np.concatenate(drawn) * fmt().per_usd
    reached = np.append(reached[np.isfinite(reached)], 0.0)
    bottom, top = float(reached.min()), float(reached.max())
    top = top if top > bottom else bottom + 1.0
    count = max(len(line.usd) for line in lines)

    def x(place: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (place / (count - 1) if count > 1 else 0.5)

    def y(usd: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (usd * fmt().per_usd - bottom) / (top - bottom))

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}">']
    parts += _grid(bottom, top, y)
    for across, anchor, text in ((LEFT, "start", ends[0]), (WIDTH - RIGHT, "end", ends[1])):
        parts.append(_text(across, HEIGHT - 8, text, anchor=anchor))
    names: list[tuple[float, str, str]] = []
    for place, line in enumerate(lines):
        band, known = [], [(x(k), y(float(usd))) for k, usd in enumerate(line.usd) if np.isfinite(usd)]
        if line.band is not None:
            low, high = ([(x(k), y(float(usd))) for k, usd in enumerate(end)] for end in line.band)
            band = [*low, *high[::-1]]
        parts.append(_line(place, known, band))
        if known:
            names.append((known[-1][1], line.name, COLOURS[place % len(COLOURS)]))
    if mark is not None:
        parts.append(f'<circle cx="{x(mark[0]):.1f}" cy="{y(0):.1f}" r="4" fill="{COLOURS[0]}"/>')
        parts.append(_text(x(mark[0]), y(0) - 9, mark[1], anchor="middle"))
    return "".join([*parts, *_names(names), "</svg>"])


def _line(place: int, known: Sequence[tuple[float, float]], band: Sequence[tuple[float, float]]) -> str:
    """A line, the `place`-th of its chart, over its band."""
    colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
    area = f'<polygon points="{_points(band)}" fill="{colour}" fill-opacity="0.12"/>' if band else ""
    style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
    return f'{area}<polyline points="{_points(known)}" {style}/>'


def _grid(bottom: float, top: float, y: Any) -> list[str]:
    """Level lines at round amounts of the shown currency."""
    found, axis = [], charts.ticks([bottom, top])
    for amount, text in zip(axis.get("tickvals", ()), axis.get("ticktext", ()), strict=True):
        if bottom <= amount <= top:
            height = y(amount / fmt().per_usd)
            colour = "#56606e" if amount == 0 else "#d9dee6"
            found.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="{colour}"/>'
            )
            found.append(_text(LEFT - 6, height + 4, text, anchor="end"))
    return found


def _names(ends: Sequence[tuple[float, str, str]]) -> list[str]:
    found, previous = [], float("-inf")
    for height, name, colour in sorted(ends):
        previous = max(height, previous + LINE_PX)
        found.append(_text(WIDTH - RIGHT + 6, previous + 4, name[:NAME_CHARS], colour=colour))
    return found


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "#1b2430") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )  # fmt: skip


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{across:.1f},{down:.1f}" for across, down in pairs)


def link(address: str) -> str:
    """The address that reproduces what is printed."""
    return f'<p class="small"><a href="{escape(address)}">{escape(address)}</a></p>'
