"""Which assumptions reproduce the figures the seed article prints, and which of them follow from none?

The article's scenario table is 2.50 x 1.10 USD per Mtok through the gateway and 8.00 USD per Mtok direct, input and
output alike, in every printed figure but those of its first row's direct column. Its own code (2.50 per Mtok + 29)
gives none of the rows. Amounts here are exact Decimals in USD.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from core.costs.conventions import MONTHS_PER_YEAR
from core.costs.facts import DATA
from core.money import TOKENS_PER_MTOK

SCENARIOS = DATA / "article_scenarios.csv"

GATEWAY_USD_PER_MTOK = Decimal("2.50")
GATEWAY_SURCHARGE_SHARE = Decimal("0.10")
"""The article does not explain these 10 %; Korean VAT fits the number."""

DIRECT_USD_PER_MTOK = Decimal("8.00")
SUBSCRIPTION_USD_PER_MONTH = Decimal(29)
ROI_CURRENT_USD_PER_MTOK = Decimal("15.00")
ROI_REQUESTS_PER_MONTH, ROI_TOKENS_PER_REQUEST = 100_000, 3_000
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedRow:
    """One row as printed: volumes, USD per month and a whole percentage."""

    scenario: str
    requests_per_month: int
    tokens_per_request: int
    gateway_usd: Decimal
    direct_usd: Decimal
    saving_usd: Decimal
    saving_percent: int
    source_line: int

    @property
    def mtok_per_month(self) -> Decimal:
        return Decimal(self.requests_per_month * self.tokens_per_request) / TOKENS_PER_MTOK


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproducedRow:
    """A printed row beside what the assumptions give; `code_usd` is what the article's own function would print."""

    printed: PrintedRow
    gateway_usd: Decimal
    direct_usd: Decimal
    saving_usd: Decimal
    saving_percent: int
    code_usd: Decimal

    @property
    def misprints(self) -> tuple[str, ...]:
        """Names of the printed figures that do not follow from the assumptions; the first one explains the others."""
        names = ("gateway_usd", "direct_usd", "saving_usd", "saving_percent")
        return tuple(name for name in names if getattr(self, name) != getattr(self.printed, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRoi:
    """The article's ROI example: printed figures and what they mean. Shares are fractions, amounts USD."""

    mtok_per_month: Decimal
    current_usd: Decimal
    gateway_usage_usd: Decimal
    gateway_total_usd: Decimal
    saving_usd_per_month: Decimal
    saving_usd_per_year: Decimal
    printed_saving_share: Decimal
    saving_share_after_fee: Decimal
    printed_roi_percent: int
    roi_share_on_year_of_fees: Decimal
    roi_share_on_gateway_spend: Decimal


def printed_rows(path: Path = SCENARIOS) -> list[PrintedRow]:
    """The article's four rows, as printed."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            PrintedRow(
                scenario=row["scenario"],
                requests_per_month=int(row["requests_per_month"]),
                tokens_per_request=int(row["tokens_per_request"]),
                gateway_usd=Decimal(row["gateway_usd"]),
                direct_usd=Decimal(row["direct_usd"]),
                saving_usd=Decimal(row["saving_usd"]),
                saving_percent=int(row["saving_percent"]),
                source_line=int(row["source_line"]),
            )
            for row in csv.DictReader(file)
        ]


def reproduce(row: PrintedRow) -> ReproducedRow:
    """The row from the stated assumptions, rounded to the cent and the whole percent once at the end."""
    gateway = (row.mtok_per_month * GATEWAY_USD_PER_MTOK * (1 + GATEWAY_SURCHARGE_SHARE)).quantize(CENT)
    direct = (row.mtok_per_month * DIRECT_USD_PER_MTOK).quantize(CENT)
    return ReproducedRow(
        printed=row,
        gateway_usd=gateway,
        direct_usd=direct,
        saving_usd=direct - gateway,
        saving_percent=int(((direct - gateway) / direct * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)),
        code_usd=(row.mtok_per_month * GATEWAY_USD_PER_MTOK + SUBSCRIPTION_USD_PER_MONTH).quantize(CENT),
    )


def reproduced_rows(path: Path = SCENARIOS) -> list[ReproducedRow]:
    """All four rows, printed beside reproduced."""
    return [reproduce(row) for row in printed_rows(path)]


def roi_example() -> ArticleRoi:
    """The article's ROI example: its 153,972 % sets a year's saving against one month's fee."""
    mtok = Decimal(ROI_REQUESTS_PER_MONTH * ROI_TOKENS_PER_REQUEST) / TOKENS_PER_MTOK
    current = mtok * ROI_CURRENT_USD_PER_MTOK
    usage = mtok * GATEWAY_USD_PER_MTOK
    total = usage + SUBSCRIPTION_USD_PER_MONTH
    saving = current - total
    year = saving * MONTHS_PER_YEAR
    return ArticleRoi(
        mtok_per_month=mtok,
        current_usd=current,
        gateway_usage_usd=usage,
        gateway_total_usd=total,
        saving_usd_per_month=saving,
        saving_usd_per_year=year,
        printed_saving_share=(current - usage) / current,
        saving_share_after_fee=saving / current,
        printed_roi_percent=int((year / SUBSCRIPTION_USD_PER_MONTH * 100).quantize(Decimal(1))),
        roi_share_on_year_of_fees=year / (SUBSCRIPTION_USD_PER_MONTH * MONTHS_PER_YEAR),
        roi_share_on_gateway_spend=year / (total * MONTHS_PER_YEAR),
    )
