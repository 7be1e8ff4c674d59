"""How do table rows become price sheets, and what does an agreed discount do to them?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlmodel import Session, col, select

from core.catalog.aliases import AliasIndex
from core.catalog.llm_tables import LlmAlias, LlmModel, LlmPriceRow, ProviderDiscount
from core.costs.tokens import LAYERS, PriceRow, PriceSheet

_P = LlmPriceRow
COLUMNS: tuple[Any, ...] = (
    _P.provider_id, _P.model_id, _P.component, _P.processing, _P.micro_usd_per_mtok, _P.min_input_tokens,
    _P.threshold_op, _P.valid_from, _P.valid_to, _P.window_start_minute, _P.window_end_minute, _P.weekdays, _P.layer,
    _P.source, _P.as_of, _P.price_text, _P.note,
)  # fmt: skip
MILLION = 1_000_000


def build_sheets(models: Sequence[LlmModel], rows: Sequence[Any]) -> dict[str, PriceSheet]:
    """Sheets by `provider/model` of table rows; a price of a model that no longer exists is left out."""
    grouped: dict[tuple[str, str], list[PriceRow]] = {}
    for row in rows:
        grouped.setdefault((row[0], row[1]), []).append(_price(row))
    found = {}
    for one in models:
        prices = grouped.get((one.provider_id, one.model_id), [])
        found[f"{one.provider_id}/{one.model_id}"] = PriceSheet(
            provider_id=one.provider_id,
            model_id=one.model_id,
            name=one.name,
            rows=tuple(row for row in prices if row.layer in LAYERS),
            shown_rows=tuple(row for row in prices if row.layer not in LAYERS),
            context_window_tokens=one.context_window_tokens,
            is_retired=one.is_retired,
            modalities=tuple(one.modalities.split(",")),
        )
    return found


def _price(row: Any) -> PriceRow:
    return PriceRow(
        component=row[2],
        processing=row[3],
        micro_usd_per_mtok=row[4],
        min_input_tokens=row[5],
        threshold_op=row[6],
        valid_from=utc(row[7]),
        valid_to=utc(row[8]),
        window=None if row[9] is None else (row[9], row[10]),
        weekdays=row[11],
        layer=row[12],
        source=row[13],
        as_of=row[14],
        price_text=row[15],
        note=row[16],
    )


def stored_names(opened: Session, sheets: Mapping[str, PriceSheet]) -> AliasIndex:
    """Every name that means one of the sheets, with the aliases in the database."""
    return AliasIndex(sheets, opened.scalars(select(LlmAlias).order_by(col(LlmAlias.rank), col(LlmAlias.id))))


def utc(moment: dt.datetime | None) -> dt.datetime | None:
    """A stored moment with its zone: the database keeps UTC without one."""
    return None if moment is None else moment.replace(tzinfo=dt.UTC)


def discounted(sheets: dict[str, PriceSheet], agreed: Sequence[ProviderDiscount]) -> dict[str, PriceSheet]:
    """The sheets after the user's discounts: every price but an override falls from the day it was agreed on.

    A discounted price is rounded to whole micro-USD per Mtok, half to even.
    """
    by_provider: Mapping[str, ProviderDiscount] = {one.provider_id: one for one in agreed}
    if not by_provider:
        return sheets
    return {
        key: replace(
            sheet, rows=tuple(part for row in sheet.rows for part in _split(row, by_provider[sheet.provider_id]))
        )
        if sheet.provider_id in by_provider
        else sheet
        for key, sheet in sheets.items()
    }


def _split(row: PriceRow, agreed: ProviderDiscount) -> list[PriceRow]:
    since = utc(agreed.created_at)
    if row.layer == "user" or since is None or (row.valid_to is not None and row.valid_to <= since):
        return [row]
    share = Decimal(agreed.share_millionths) / MILLION
    price = (row.micro_usd_per_mtok * (1 - share)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    later = replace(
        row,
        micro_usd_per_mtok=int(price),
        valid_from=since if row.valid_from is None else max(row.valid_from, since),
        source=f"{row.source}, less {share:.1%}",
        note=agreed.reason,
    )
    if row.valid_from is not None and row.valid_from >= since:
        return [later]
    return [replace(row, valid_to=since), later]
