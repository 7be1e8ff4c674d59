"""Amounts stay exact inside and read well outside."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import MISSING, Formatter, micro_usd, micro_usd_rounded, usd_from_micro, usd_from_pico
from tests.conftest import LANGS

EN = Formatter()
KO = Formatter(lang="ko", currency="KRW", krw_per_usd=1_400)


@given(st.integers(0, 10**15))
def test_micro_usd_and_back_is_exact(micro: int) -> None:
    assert micro_usd(usd_from_micro(micro)) == micro


def test_a_trillionth_of_a_dollar_is_one_pico() -> None:
    assert usd_from_pico(1) == Decimal("0.000000000001")


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "0.0000001", "1e-7"])
def test_text_that_is_no_whole_micro_usd_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="USD"):
        micro_usd(text)


def test_finer_digits_round_half_to_even_when_asked() -> None:
    assert micro_usd_rounded("0.0000005") == 0
    assert micro_usd_rounded("0.0000015") == 2


@pytest.mark.parametrize(
    ("usd", "english", "korean"),
    [
        (None, MISSING, MISSING),
        (float("nan"), MISSING, MISSING),
        (0, "$0.00", "₩0"),
        (85, "$85.00", "₩119,000"),
        (1234567.4, "$1,234,567.40", "₩1,728,394,360"),
        (Decimal("0.0012"), "$0.001200", "₩1.6800"),
        (-12.5, "-$12.50", "-₩17,500"),
    ],
)
def test_money_reads_as_its_currency(usd: float | None, english: str, korean: str) -> None:
    assert EN.money(usd) == english
    assert KO.money(usd) == korean


def test_short_money_has_three_significant_digits() -> None:
    assert [EN.money_short(usd) for usd in (0.00123, 1.234, 350.12, 1234567)] == ["$0.00123", "$1.23", "$350", "$1.23M"]
    assert [KO.money_short(usd) for usd in (1.234, 85, 1234567)] == ["₩1,728", "₩11.9만", "₩17.3억"]
    dollars = replace(KO, currency="USD")
    shown = [dollars.money_short(usd) for usd in (350.12, -35349, 999_999, 1234567, 9e9)]
    assert shown == ["$350", "-$35,300", "$1,000,000", "$1.23M", "$9B"]


def test_large_counts_use_the_units_of_the_language() -> None:
    assert EN.compact(50_000) == "50K"
    assert KO.compact(50_000) == "5만"
    assert KO.compact(1_500) == "1,500"


def test_dates_and_shares_are_localised() -> None:
    assert EN.date(dt.date(2026, 11, 20)) == "Nov 20, 2026"
    assert KO.date(dt.date(2026, 11, 20)) == "2026. 11. 20."
    assert (EN.month_day(dt.date(2026, 11, 2)), KO.month_day(dt.date(2026, 11, 2))) == ("Nov 2", "11월 2일")
    assert EN.percent(0.123, 1) == "12.3%"
    assert EN.date(None) == MISSING


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_number_is_too_large_or_too_odd_to_be_shown(value: float) -> None:
    for show in (EN, KO):
        assert show.money(value)
        assert show.money_short(value)
        assert show.percent(value, 1)
        assert show.number(value, 2)
        assert show.compact(value)


@pytest.mark.parametrize("lang", LANGS)
def test_every_language_has_its_own_locale(lang: str) -> None:
    assert Formatter(lang=lang).locale.split("_")[0] == lang
