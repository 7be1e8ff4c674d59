"""What does the spend page read from the roll-ups, and from nowhere else?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from core.usage.entries import WASTED
from core.usage.rollup import Filters, Totals, fold, totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything the spend page shows for one choice of days and filters."""

    total: Totals
    days: list[Totals]
    models: list[Totals]
    providers: list[Totals]
    outcomes: list[Totals]
    wasted: list[Totals]


def read_report(engine: Engine, since: dt.date | None, until: dt.date | None, filters: Filters | None = None) -> Report:
    """Sums for the days from `since` to `until`, both included. Raises DatabaseProblem."""
    chosen = replace(filters or Filters(), since=since, until=until)
    # Two passes over the roll-ups; everything else is summed from their few hundred groups.
    calls = totals(engine, chosen, by=["day", "outcome"])
    attempts = totals(engine, chosen, by=["provider", "model", "outcome", "error"], level="attempt")
    return Report(
        total=next(iter(fold(calls)), Totals()),
        days=fold(calls, 0),
        outcomes=fold(calls, 1),
        providers=fold(attempts, 0),
        models=fold(attempts, 0, 1),
        wasted=fold([row for row in attempts if row.key[2] in WASTED], 2, 3, 1),
    )
