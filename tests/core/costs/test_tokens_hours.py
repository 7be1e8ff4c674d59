"""The cheapest and the dearest hour are those of the prices that are valid at the moment asked about."""

from __future__ import annotations

import datetime as dt
from typing import Any

from core.costs.tokens import PriceRow, PriceSheet, find_row, hour_extremes

NOON = dt.datetime(2026, 11, 3, 12, 20, tzinfo=dt.UTC)  # a Tuesday
CHANGE = dt.datetime(2026, 11, 4, tzinfo=dt.UTC)
OFFICE = (540, 1020)


def row(component: str, usd: int, **given: Any) -> PriceRow:
    return PriceRow(component=component, micro_usd_per_mtok=usd * 1_000_000, **given)


def usd_at(sheet: PriceSheet, moment: dt.datetime, component: str) -> int:
    found = find_row(sheet, component, "standard", moment, 0)
    assert found is not None
    return found.micro_usd_per_mtok // 1_000_000


def test_prices_of_next_week_do_not_count() -> None:
    sheet = PriceSheet(
        provider_id="p", model_id="m",
        rows=(
            row("input", 1, valid_to=CHANGE), row("input", 3, window=OFFICE, valid_to=CHANGE), row("output", 1),
            row("input", 10, valid_from=CHANGE), row("input", 30, window=OFFICE, valid_from=CHANGE),
        ),
    )  # fmt: skip
    cheap, dear = hour_extremes(sheet, NOON)

    assert (usd_at(sheet, cheap, "input"), usd_at(sheet, dear, "input")) == (1, 3)
    cheap, dear = hour_extremes(sheet, CHANGE)
    assert (usd_at(sheet, cheap, "input"), usd_at(sheet, dear, "input")) == (10, 30)


def test_shortly_before_a_change_the_hours_since_the_last_one_count() -> None:
    sheet = PriceSheet(
        provider_id="p", model_id="m",
        rows=(row("input", 1), row("output", 1), row("input", 3, window=OFFICE, valid_to=CHANGE)),
    )  # fmt: skip
    _, dear = hour_extremes(sheet, CHANGE - dt.timedelta(minutes=10))

    assert usd_at(sheet, dear, "input") == 3
    assert hour_extremes(sheet, CHANGE) == (CHANGE, CHANGE)


def test_hours_in_which_only_the_reply_is_dearer_are_dear() -> None:
    sheet = PriceSheet(
        provider_id="p", model_id="m", rows=(row("input", 1), row("output", 4), row("output", 8, window=(0, 360)))
    )
    cheap, dear = hour_extremes(sheet, NOON)

    assert (usd_at(sheet, cheap, "output"), usd_at(sheet, dear, "output")) == (4, 8)
    assert cheap == NOON
