"""What does the seed article claim about model prices and tasks? Its discount table and its picks, as labelled data."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from core.settings import PROJECT

DISCOUNTS = PROJECT / "data" / "article_discounts.csv"
PICKS = PROJECT / "data" / "task_picks.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleDiscount:
    """One line of the article's table: flat USD per Mtok "original" and through the gateway, and what each is."""

    name: str
    model: str
    original_usd_per_mtok: Decimal
    gateway_usd_per_mtok: Decimal
    printed_discount_share: Decimal
    what_original_is: str
    what_gateway_is: str

    def real_discount_share(self, list_usd_per_mtok: float | None) -> float | None:
        """What the gateway's flat price saves against a blended list price; negative when it is dearer."""
        return 1 - float(self.gateway_usd_per_mtok) / list_usd_per_mtok if list_usd_per_mtok else None


def article_discounts(path: Path = DISCOUNTS) -> list[ArticleDiscount]:
    """The article's four lines."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            ArticleDiscount(
                name=row["name"],
                model=row["model"],
                original_usd_per_mtok=Decimal(row["original_usd_per_mtok"]),
                gateway_usd_per_mtok=Decimal(row["gateway_usd_per_mtok"]),
                printed_discount_share=Decimal(row["printed_discount_percent"]) / 100,
                what_original_is=row["what_original_is"],
                what_gateway_is=row["what_gateway_is"],
            )
            for row in csv.DictReader(file)
        ]


def task_picks(path: Path = PICKS) -> dict[str, str]:
    """The article's model for each task."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["task"]: row["model"] for row in csv.DictReader(file)}
