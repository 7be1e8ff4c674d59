"""What does the spend page read from the roll-ups, and from nowhere else?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from core.catalog import Catalog
from core.catalog.aliases import UnknownModelError
from core.catalog.database import Engine
from core.costs.tokens import hour_extremes
from core.costs.tokens_mix import billed_prices, cost_pico_usd
from core.usage.entries import WASTED
from core.usage.imports import ExportRow
from core.usage.rollup import Filters, Totals, fold, totals
from core.usage.tables import create_tables
from pages.parts import state


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything the spend page shows for one choice of days and filters."""

    total: Totals
    days: list[Totals]
    models: list[Totals]
    providers: list[Totals]
    outcomes: list[Totals]
    wasted: list[Totals]

    @property
    def wasted_pico_usd(self) -> int:
        return sum(row.pico_usd for row in self.wasted)


@st.cache_resource(show_spinner=False)
def _prepare(url: str, _engine: Engine) -> str:
    create_tables(_engine)
    return url


def engine() -> Engine:
    """The catalog's database with the tables of the log in it. Raises DatabaseProblem."""
    found = state.catalog().engine
    _prepare(state.settings().database_url, found)
    return found


def read_report(
    database: Engine, since: dt.date | None, until: dt.date | None, filters: Filters | None = None
) -> Report:
    """Sums for the days from `since` to `until`, both included. Raises DatabaseProblem."""
    chosen = replace(filters or Filters(), since=since, until=until)
    # Two passes over the roll-ups; everything else is summed from their few hundred groups.
    calls = totals(database, chosen, by=["day", "outcome"])
    attempts = totals(database, chosen, by=["provider", "model", "outcome", "error"], level="attempt")
    return Report(
        total=next(iter(fold(calls)), Totals()),
        days=fold(calls, 0),
        outcomes=fold(calls, 1),
        providers=fold(attempts, 0),
        models=fold(attempts, 1),
        wasted=fold([row for row in attempts if row.key[2] in WASTED], 2, 3, 1),
    )


def prices_of(
    catalog: Catalog, model: str, processing: str, input_tokens: int, at: dt.datetime | None = None
) -> Mapping[str, int] | None:
    """A model's prices by component as a quote bills them, for that prompt length at a moment (UTC).

    None for the moment is today, off-peak where hours differ. None when there are no prices: the model is unknown, or
    has no input or output price then.
    """
    try:
        sheet = catalog.llm.sheet(model)
    except UnknownModelError:
        return None
    found = billed_prices(sheet, at or hour_extremes(sheet)[0], processing, input_tokens)
    return found if "input" in found and "output" in found else None


def price_of_row(catalog: Catalog, model: str, row: ExportRow) -> int | None:
    """Pico-USD of an imported row that carries no cost, at the list price of the model it is mapped to.

    The price is that of the row's own time, or today's where the catalog knows none for it.
    """
    mean_input = row.input_tokens // max(1, row.request_count)
    then = dt.datetime.fromtimestamp(row.started_ms / 1_000, tz=dt.UTC)
    tried = ((kind, at) for at in (then, None) for kind in (row.processing, "standard"))
    found = (prices_of(catalog, model, kind, mean_input, at) for kind, at in tried)
    prices = next((one for one in found if one is not None), None)
    if prices is None:
        return None
    usage = Totals(
        input_tokens=row.input_tokens,
        cached_input_tokens=row.cached_input_tokens,
        cache_write_5m_tokens=row.cache_write_tokens,
        output_tokens=row.output_tokens,
    )
    return cost_pico_usd(usage, prices)
