"""How does spend leave the page: as CSV and Parquet, one row per day, model, provider and outcome?"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core.usage.rollup import Filters, totals
from pages.parts import state, tables
from pages.parts.state import tr
from pages.parts.tables import Column
from pages.parts.usage_data import engine

MEASURES = (
    "request_count", "failover_count", "input_tokens", "cached_input_tokens", "output_tokens", "usage_unknown_count",
    "cost_unknown_count",
)  # fmt: skip


def rows_of(since: dt.date | None, until: dt.date, filters: Filters) -> list[dict[str, Any]]:
    """The roll-up behind the page, attempts by day; costs in USD."""
    chosen = replace(filters, since=since, until=until)
    found = totals(engine(), chosen, by=["day", "origin", "provider", "model", "outcome"], level="attempt")
    return [
        {
            "day": row.day,
            "origin": row.key[1],
            "provider": row.key[2],
            "model": row.key[3],
            "outcome": row.key[4],
            **{name: getattr(row, name) for name in MEASURES},
            "cost_usd": row.cost_usd,
            "latency_p50_ms": row.latency_ms(0.5),
            "latency_p95_ms": row.latency_ms(0.95),
        }
        for row in found
    ]


def to_parquet(rows: list[dict[str, Any]]) -> bytes:
    """The rows as Parquet; costs stay exact decimals, days are dates."""
    table = io.BytesIO()
    pd.DataFrame(rows).to_parquet(table, index=False)
    return table.getvalue()


def to_csv(rows: list[dict[str, Any]]) -> bytes:
    """The rows as CSV under the same names, in USD, safe to open in a sheet."""
    names = list(rows[0]) if rows else []
    numbers = {*MEASURES, "latency_p50_ms", "latency_p95_ms"}
    columns = [Column(field=name, label=name, kind="number" if name in numbers else "text") for name in names]
    return tables.to_csv(rows, columns)


def buttons(since: dt.date | None, until: dt.date, filters: Filters) -> None:
    """Two buttons; the file is made when pressed."""
    stem = f"spend-{until:%Y-%m-%d}"
    st.download_button(
        tr("common.download_csv"), data=state.later(lambda: to_csv(rows_of(since, until, filters))),
        file_name=f"{stem}.csv", mime="text/csv", key="usage_csv", on_click="ignore", icon=":material/download:",
    )  # fmt: skip
    st.download_button(
        tr("usage.download_parquet"), data=state.later(lambda: to_parquet(rows_of(since, until, filters))),
        file_name=f"{stem}.parquet", mime="application/vnd.apache.parquet", key="usage_parquet", on_click="ignore",
        icon=":material/download:",
    )  # fmt: skip
