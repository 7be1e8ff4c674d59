"""What list prices did: their steps and the news since a day."""

from __future__ import annotations

import datetime as dt

import pytest

from core.costs.tokens import PriceSheet
from core.costs.tokens_history import price_changes
from tests.core.costs.test_tokens import row, sheet

JUNE, JULY = dt.datetime(2026, 6, 1, tzinfo=dt.UTC), dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
MOVED = sheet(
    row("input", "2", valid_to=JUNE), row("input", "1", valid_from=JUNE, valid_to=JULY, source="list"),
    row("input", "3", valid_from=JULY), row("output", "8"),
)  # fmt: skip


def test_changes_since_a_day_are_listed_the_latest_first_with_both_prices() -> None:
    latest, first = price_changes([MOVED], dt.date(2026, 6, 1))

    assert (latest.day, latest.before_micro, latest.after_micro) == (JULY.date(), 1_000_000, 3_000_000)
    assert (first.day, first.component, first.model, first.source) == (JUNE.date(), "input", "maker/model", "list")
    assert first.change_share == pytest.approx(-0.5)
    assert [one.day for one in price_changes([MOVED], dt.date(2026, 6, 2))] == [JULY.date()]


@pytest.mark.parametrize(
    "quiet",
    [
        sheet(row("input", "2", valid_to=JUNE), row("input", "2", valid_from=JUNE)),
        sheet(row("input", "2", valid_to=JUNE), row("input", "1", valid_from=JUNE, layer="correction")),
        sheet(row("input", "2", valid_from=JUNE)),
        sheet(row("input", "2", valid_to=JUNE), row("input", "1", valid_from=JUNE, min_input_tokens=1_000)),
        sheet(row("input", "2", valid_to=JUNE), row("input", "1", valid_from=JUNE, window=(0, 60))),
        sheet(row("cache_read", "2", valid_to=JUNE), row("cache_read", "1", valid_from=JUNE)),
        sheet(
            row("input", "2", valid_to=JUNE, processing="batch"), row("input", "1", valid_from=JUNE, processing="batch")
        ),
    ],
    ids=["same price", "another layer", "first price", "a tier", "some hours", "cached input", "batch"],
)
def test_what_is_no_move_of_a_list_price_is_no_news(quiet: PriceSheet) -> None:
    assert price_changes([quiet], JUNE.date()) == []


def test_a_price_that_was_free_has_no_share_to_grow_by() -> None:
    (change,) = price_changes(
        [sheet(row("input", "0", valid_to=JUNE), row("input", "1", valid_from=JUNE))], JUNE.date()
    )

    assert change.change_share == 0
