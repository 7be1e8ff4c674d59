"""How are amounts held exactly, and how are they shown in a language and a currency?

Inside, money is an integer: micro-USD per unit of price, pico-USD of cost (one token at 1 micro-USD per Mtok costs
1 pico-USD). They become Decimal and text here alone, and rounding happens once, when showing.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from babel.dates import format_date, format_skeleton
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from core.i18n import SaidError, said

MICRO = 1_000_000
MILLION = 1_000_000
PICO_PER_USD = 10**12
TOKENS_PER_MTOK = 1_000_000
HUGE = 1e15
"""Beyond it digits mean nothing, and Decimal's 28 would not hold them."""

RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

MISSING = "–"
"""What stands where a figure is unknown."""

Currency = Literal["USD", "KRW"]
Amount = Decimal | float | int


def micro_usd(amount: str | Decimal | int) -> int:
    """Whole micro-USD of an amount in USD; SaidError for text that is no finite number or finer than a micro-USD."""
    try:
        scaled = Decimal(str(amount).strip()) * MICRO
    except InvalidOperation as error:
        raise SaidError(said("common.no_amount", given=amount)) from error
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise SaidError(said("common.no_micro_usd", given=amount))
    return int(scaled)


def micro_usd_rounded(amount: str | Decimal | float) -> int:
    """Nearest whole micro-USD, half to even; for sources with finer digits. SaidError for what is no number."""
    try:
        value = Decimal(str(amount).strip())
    except InvalidOperation as error:
        raise SaidError(said("common.no_amount", given=amount)) from error
    if not value.is_finite():
        raise SaidError(said("common.no_amount", given=amount))
    return int((value * MICRO).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def usd_from_micro(micro: int) -> Decimal:
    """USD of whole micro-USD, exact."""
    return Decimal(micro).scaleb(-6)


def usd_from_pico(pico: int) -> Decimal:
    """USD of whole pico-USD, exact."""
    return Decimal(pico).scaleb(-12)


def _usd_digits(amount: Amount) -> int:
    """Decimals that keep a USD amount checkable: 2 from a dollar up, 4 to 6 below, all of a tiny one."""
    size = abs(float(amount))
    if size >= 1 or size == 0:
        return 2
    if size >= 0.01:
        return 4
    return 6 if size >= 1e-5 else 12


# Babel takes 20 to 60 us a number, and a page shows hundreds, the same ones at each rerun.
@lru_cache(maxsize=4096)
def _decimal(value: Decimal | float, pattern: str, locale: str) -> str:
    return str(format_decimal(value, format=pattern, locale=locale))


@lru_cache(maxsize=4096)
def _compact(value: float, locale: str) -> str:
    return str(format_compact_decimal(value, locale=locale, fraction_digits=2)).replace(" ", "")


@lru_cache(maxsize=4096)
def _percent(share: Decimal, pattern: str, locale: str) -> str:
    return str(format_percent(share, format=pattern, locale=locale))


@lru_cache(maxsize=4096)
def _day(day: dt.date, pattern: str, locale: str) -> str:
    return str(format_date(day, format=pattern, locale=locale))


@lru_cache(maxsize=4096)
def _month_day(day: dt.date, locale: str) -> str:
    return str(format_skeleton("MMMd", day, locale=locale))


def _known(amount: Amount | None) -> bool:
    return amount is not None and math.isfinite(float(amount))


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatter:
    """Shows amounts, counts, shares and dates for one reader.

    `krw_per_usd` is won per dollar as of `fx_date`; USD amounts are converted with it when `currency` is KRW.
    Unknown amounts (None, NaN, infinite) show as a dash.
    """

    lang: str = "en"
    currency: Currency = "USD"
    krw_per_usd: float = 1_400.0
    fx_date: dt.date | None = None

    @property
    def locale(self) -> str:
        """What Babel calls the language with its country: `ko_KR`, `en_US`."""
        return {"ko": "ko_KR"}.get(self.lang, "en_US")

    @property
    def symbol(self) -> str:
        """Sign of the currency, for headings of tables whose cells are bare numbers."""
        return "₩" if self.currency == "KRW" else "$"

    @property
    def _compact_from(self) -> int:
        """Where counts become short: Korean counts in 만 (10,000), and a thousand stays a plain number."""
        return 10_000 if self.lang == "ko" else 1_000

    @property
    def per_usd(self) -> float:
        """How much of the shown currency one USD is."""
        return self.krw_per_usd if self.currency == "KRW" else 1.0

    def convert(self, usd: Amount | None) -> float | None:
        """USD amount in the shown currency, None when unknown; for charts and table cells."""
        if usd is None or not _known(usd):
            return None
        return float(usd) * self.per_usd

    def money(self, usd: Amount | None, *, digits: int | None = None) -> str:
        """A USD amount in the shown currency with its sign, such as `-$0.0040`; a dash when it is unknown.

        `digits` (0 or more) fixes the decimals, rounded half to even. Nothing is raised, whatever the size: from `HUGE`
        on an amount is shown with three significant digits and a power of ten.
        """
        if usd is None or not _known(usd):
            return MISSING
        if self.currency == "KRW":
            value = Decimal(str(usd)) * Decimal(str(self.krw_per_usd))
            places = digits if digits is not None else (0 if abs(value) >= 10 or value == 0 else 4)
        else:
            value = Decimal(str(usd))
            places = digits if digits is not None else _usd_digits(usd)
        sign = "-" if value < 0 else ""
        return f"{sign}{self.symbol}{self.number(abs(value), places)}"

    def money_short(self, usd: Amount | None) -> str:
        """A USD amount with three significant digits (`$1.23K`, `₩170만`), for metrics and chart labels."""
        value = self.convert(usd)
        if value is None:
            return MISSING
        if abs(value) < self._compact_from:
            digits = (
                significant_decimals(value) if self.currency == "USD" else (0 if abs(value) >= 10 or value == 0 else 2)
            )
            return self.money(usd, digits=digits)
        sign, size = "-" if value < 0 else "", abs(value)
        if self.lang == "ko" and self.currency == "USD":
            # Nobody counts dollars in 만.
            short = self.number(float(f"{size:.3g}")) if size < MILLION else replace(self, lang="en").compact(size)
            return f"{sign}{self.symbol}{short}"
        return f"{sign}{self.symbol}{self.compact(size)}"

    def compact(self, value: Amount | None) -> str:
        """A large count with three significant digits: K / M / B in English, 만 / 억 in Korean."""
        if value is None or not _known(value):
            return MISSING
        if abs(float(value)) > HUGE:
            return _power_of_ten(Decimal(str(value)))
        shown = float(f"{float(value):.3g}") + 0.0  # of two zeros the one without a sign
        if abs(shown) < self._compact_from:
            return _decimal(shown, "#,##0.##", self.locale)
        # Babel leaves the thousands of a compact number ungrouped: 4900만 reads better as 4,900만.
        return re.sub(r"^-?\d{4,}", lambda digits: f"{int(digits[0]):,}", _compact(shown, self.locale))

    def number(self, value: Amount | None, digits: int = 0) -> str:
        """A number with group separators and exactly `digits` (0 or more) decimals, rounded half to even.

        A dash when it is unknown, three significant digits and a power of ten from `HUGE` on; nothing is raised.
        """
        if value is None or not _known(value):
            return MISSING
        if abs(float(value)) >= HUGE:
            return _power_of_ten(Decimal(str(value)))
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return _decimal(Decimal(str(value)) + 0, pattern, self.locale)

    def percent(self, share: Amount | None, digits: int = 0) -> str:
        """A share (0 to 1) as percent with exactly `digits` decimals; unknown and huge ones as in `number`."""
        if share is None or not _known(share):
            return MISSING
        if abs(float(share)) >= HUGE:
            return f"{_power_of_ten(Decimal(str(share)) * 100)}%"
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
        return _percent(Decimal(str(share)) + 0, pattern, self.locale)

    def date(self, day: dt.date | None) -> str:
        """A day as the reader writes it, or a dash when undated."""
        return MISSING if day is None else _day(day, "medium", self.locale)

    def month(self, day: dt.date) -> tuple[str, str]:
        """The month of a day as short as the reader writes it, and its year."""
        return _day(day, "LLL", self.locale), f"{day:%Y}"

    def month_day(self, day: dt.date) -> str:
        """A day without its year as the reader writes it, for the axis of a chart."""
        return _month_day(day, self.locale)


def _power_of_ten(value: Decimal) -> str:
    """A huge number with three significant digits, such as `5.21×10¹⁷`."""
    digits, _, exponent = f"{value:.2e}".partition("e")
    shown = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{shown}×10{str(int(exponent)).translate(RAISED)}"


def significant_decimals(value: float) -> int:
    """Decimals that leave three significant digits of a USD amount below 1,000; 2 from a dollar up."""
    size = abs(value)
    if size == 0 or size >= 100:
        return 0 if size >= 100 else 2
    return 2 if size >= 1 else min(12, 2 - math.floor(math.log10(size)))
