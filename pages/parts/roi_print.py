"""How does the case for a switch look on paper? One HTML file that needs nothing else and prints on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from core.workload import Workload
from pages.parts import tables
from pages.parts.roi_case import Case
from pages.parts.roi_charts import cumulative_title
from pages.parts.roi_tables import figures, month_columns, months
from pages.parts.state import fmt, lang, tr
from pages.parts.workload_bar import summary

_STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;color:#1b2430}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "td,th{padding:.25rem .5rem;border-bottom:1px solid #d9dee6;text-align:left;vertical-align:top}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    "@media print{body{margin:0}}"
)


def document(case: Case, workload: Workload, address: str) -> bytes:
    """The report as UTF-8 HTML: takeaway, both ways, all figures, the cash flow, and `address`, which reproduces it."""
    switch = case.switch
    title = f"{tr('roi.title')} {switch.baseline.name} → {switch.new.name}"
    parts = [
        f'<!doctype html><html lang="{lang()}"><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>",
        f"<p><strong>{escape(cumulative_title(switch))}</strong></p><p>{escape(summary(workload))}</p>",
        f"<p>{escape(tr('roi.terms', migration=fmt().money(switch.terms.migration_usd)))}</p>",
        _figures(figures(case)),
        _months(months(case)),
        f'<p><a href="{escape(address)}">{escape(address)}</a></p>',
    ]
    return "\n".join(parts).encode()


def _figures(rows: Sequence[Mapping[str, str]]) -> str:
    cells = (
        f'<td>{escape(one["name"])}</td><td class="n">{escape(one["value"])}</td><td>{escape(one["note"])}</td>'
        for one in rows
    )
    return f"<table>{''.join(f'<tr>{cell}</tr>' for cell in cells)}</table>"


def _months(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = month_columns()
    head = "".join(f'<th class="n">{escape(tables.heading(column))}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td class="n">{_cell(column, row[column.field])}</td>' for column in columns) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(column: tables.Column, value: Any) -> str:
    if column.kind == "money":
        return escape(fmt().money(value))
    return escape(str(value))
