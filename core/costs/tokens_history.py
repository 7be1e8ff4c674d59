"""How did a list price move? Its steps over time and what changed since a day, each with its source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from core.costs.tokens_prices import INPUT, OUTPUT, PriceRow, PriceSheet, as_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From this moment (UTC) on, this row gave the price; None is no price."""

    since: dt.datetime
    row: PriceRow | None


def price_steps(
    sheet: PriceSheet, component: str, since: dt.datetime, until: dt.datetime, processing: str = "standard"
) -> list[Step]:
    """Steps of a component's all-day price for short prompts between two moments (UTC); equal neighbours are joined."""
    eras = sheet.eras.get((component, processing))
    if eras is None:
        return []
    found: list[Step] = []
    for start in (as_utc(since), *(one for one in eras.starts if since < one <= until)):
        row = next((one for one in eras.at(start) if not one.is_special and one.reaches(0)), None)
        before = found[-1].row if found else None
        price = None if row is None else row.micro_usd_per_mtok
        if not found or price != (None if before is None else before.micro_usd_per_mtok):
            found.append(Step(since=start, row=row))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A list price that changed or will change on a day (UTC): micro-USD per Mtok before and after."""

    day: dt.date
    model: str
    component: str
    before_micro: int
    after_micro: int
    source: str

    @property
    def change_share(self) -> float:
        """How much dearer (or, negative, cheaper) it became; 0 for a price that was free."""
        return self.after_micro / self.before_micro - 1 if self.before_micro else 0.0


def price_changes(sheets: Iterable[PriceSheet], since: dt.date) -> list[PriceChange]:
    """Changes of standard input and output prices from `since` on, announced ones included, the latest first.

    Only within one layer: a correction of the bundle is no move of the seller.
    """
    found = [change for sheet in sheets for change in _changes(sheet, since)]
    return sorted(found, key=lambda change: change.day, reverse=True)


def _changes(sheet: PriceSheet, since: dt.date) -> list[PriceChange]:
    found = []
    for component in (INPUT, OUTPUT):
        rows = [
            row
            for row in sheet.by_part.get((component, "standard"), ())
            if not row.is_special and not row.min_input_tokens
        ]
        for row in rows:
            if row.valid_from is None or row.valid_from.date() < since:
                continue
            before = next((one for one in rows if one.valid_to == row.valid_from and one.layer == row.layer), None)
            if before is not None and before.micro_usd_per_mtok != row.micro_usd_per_mtok:
                found.append(
                    PriceChange(
                        day=row.valid_from.date(), model=sheet.key, component=component, source=row.source,
                        before_micro=before.micro_usd_per_mtok, after_micro=row.micro_usd_per_mtok,
                    )
                )  # fmt: skip
    return found
