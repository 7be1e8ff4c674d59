"""The few conventions and checks all costs share."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.conventions import HOURS_PER_MONTH, midnight, next_month
from core.costs.facts import DATA, squashed
from core.costs.limits import require_within


def test_a_billed_month_is_a_twelfth_of_the_hours_of_a_year() -> None:
    assert HOURS_PER_MONTH == 365 * 24 / 12


@given(st.dates(max_value=dt.date(9999, 11, 30)))
def test_the_next_month_begins_on_its_first_day(day: dt.date) -> None:
    found = next_month(day)

    assert found.day == 1
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == 1


def test_a_day_begins_at_midnight_in_utc() -> None:
    assert midnight(dt.date(2026, 6, 3)) == dt.datetime(2026, 6, 3, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", [-1e-9, 1.1, float("nan"), float("inf")])
def test_what_is_outside_its_limits_is_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match=r"^share is .*: give a number from 0 to 1\.$"):
        require_within("share", value, 0, 1)


def test_limits_themselves_are_within() -> None:
    require_within("share", 0, 0, 1)
    require_within("share", 1, 0, 1)


def test_names_are_compared_by_letters_and_digits() -> None:
    assert squashed("Llama 3.3-70B") == squashed("llama-3.3 70b") == "llama3370b"
    assert (DATA / "README.md").exists()
