"""What did the article claim about GPU providers? Its table as it stands: dated, unverified, never ranked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.catalog.rows import RefusedRow, Row, number, read_rows, words
from core.i18n import SaidError, said


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleGpuRow:
    """One provider of the article's table. USD per GPU-hour and milliseconds to Korea as (low, high), None unknown.

    `as_of` is the month the article names (`2024-12`); nothing in the row has been checked by us.
    """

    name: str
    a100_80gb_usd_per_gpu_hour: tuple[float, float] | None
    h100_usd_per_gpu_hour: tuple[float, float] | None
    region: str | None
    rtt_korea_ms: tuple[float, float] | None
    min_topup_usd: float | None
    min_topup_note: str | None
    payment: str | None
    as_of: str
    status: str
    source: str


def _range(row: Row, column: str) -> tuple[float, float] | None:
    low, high = f"{column}_low", f"{column}_high"
    if not row[low].strip():
        return None
    found = number(row, low), number(row, high)
    if found[0] > found[1]:
        raise SaidError(said("catalog.row_exceeds", column=low, given=row[low], other=high, limit=row[high]))
    return found


def _article_row(row: Row) -> ArticleGpuRow:
    return ArticleGpuRow(
        name=row["name"],
        a100_80gb_usd_per_gpu_hour=_range(row, "a100_80gb_usd"),
        h100_usd_per_gpu_hour=_range(row, "h100_usd"),
        region=words(row, "region"),
        rtt_korea_ms=_range(row, "rtt_korea_ms"),
        min_topup_usd=number(row, "min_topup_usd", low=-1) if row["min_topup_usd"].strip() else None,
        min_topup_note=words(row, "min_topup_note"),
        payment=words(row, "payment"),
        as_of=row["as_of"],
        status=row["status"],
        source=row["source"],
    )


@cache
def read_article(path: Path) -> tuple[tuple[ArticleGpuRow, ...], tuple[RefusedRow, ...]]:
    """The rows of the article's table and those refused."""
    refused: list[RefusedRow] = []
    return tuple(read_rows(path, _article_row, refused)), tuple(refused)
