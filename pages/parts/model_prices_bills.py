"""What does each model cost for a workload, at which prices, and whose are they?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.costs.api_bills import api_bill, billed_mtok
from core.costs.tokens import PriceRow, PriceSheet, as_utc, find_row, hour_extremes, unit_prices
from core.costs.tokens_rivals import disagreements
from core.costs.tokens_shares import ShareCurves, share_curves
from core.money import MICRO
from core.workload import Workload
from pages.parts import widgets
from pages.parts.state import catalog, tr


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A model's bill for a workload (USD, first month), its list prices off-peak (USD per Mtok) and their origin.

    The blended price is the bill over all tokens billed, so batch, hours and context tiers are in it.
    `own_parts` are the components in use that somebody's own price replaces; `layer` and `as_of` are theirs then,
    `source` that of the others ("" when there are none). `sources` are all of them with their dates.
    """

    key: str
    name: str
    provider_id: str
    usd_per_month: float
    blended_usd_per_mtok: float
    input_usd: float | None
    cached_usd: float | None
    output_usd: float | None
    context_tokens: int | None
    modalities: tuple[str, ...]
    is_retired: bool
    layer: str
    source: str
    as_of: dt.date | None
    sources: tuple[tuple[str, dt.date | None], ...]
    own_parts: tuple[str, ...]
    rival_count: int
    notes: tuple[str, ...]


def now() -> dt.datetime:
    """The end of this minute: figures stand still for its length, and a discount agreed on within it counts."""
    return as_utc(None).replace(second=59, microsecond=999_999)


def sheets() -> Mapping[str, PriceSheet]:
    """Every model's prices."""
    return catalog().llm.sheets()


@st.cache_data(show_spinner=False, max_entries=64)
def _bills(keys: Sequence[str], workload: Workload, at: dt.datetime, _version: str, version: str) -> list[Bill]:
    known = sheets()
    found = (bill_of(known[key], workload, at) for key in keys)
    return sorted((one for one in found if one is not None), key=lambda one: (one.usd_per_month, one.key))


def bills(workload: Workload, keys: Sequence[str]) -> list[Bill]:
    """Bills of these models, those without a price now left out, the cheapest first."""
    version = catalog().llm.version
    return _bills(keys, workload, now(), version, version)


@st.cache_data(show_spinner=False, max_entries=64)
def _curves(
    keys: Sequence[str], workload: Workload, at: dt.datetime, _version: str, version: str
) -> ShareCurves | None:
    return share_curves([sheets()[key] for key in keys], workload, at)


def curves(workload: Workload, keys: Sequence[str]) -> ShareCurves | None:
    """The bills of these models when the same tokens are divided otherwise; None without a priced one."""
    version = catalog().llm.version
    return _curves(sorted(keys), workload, now(), version, version)


def bill_of(sheet: PriceSheet, workload: Workload, at: dt.datetime) -> Bill | None:
    """One model's bill, None without an input or output price; retries are billed requests."""
    bill = api_bill(sheet, workload, at)
    off_peak = hour_extremes(sheet, at)[0]
    rows = _rows_in_use(sheet, workload, off_peak)
    if bill is None or not rows:
        return None
    own, listed = ([row for row in rows if (row.layer == "user") == is_own] for is_own in (True, False))
    row = (own or listed)[0]
    prices = unit_prices(sheet, off_peak, "standard", workload.input_tokens)
    return Bill(
        key=sheet.key,
        name=sheet.name or sheet.model_id,
        provider_id=sheet.provider_id,
        usd_per_month=bill.usd_per_month,
        blended_usd_per_mtok=bill.usd_per_month / billed_mtok(workload),
        input_usd=_usd(prices.input),
        cached_usd=_usd(prices.cache_read),
        output_usd=_usd(prices.output),
        context_tokens=sheet.context_window_tokens,
        modalities=sheet.modalities,
        is_retired=sheet.is_retired,
        layer=row.layer,
        source=listed[0].source if listed else "",
        as_of=row.as_of,
        sources=tuple((one.source, one.as_of) for one in (*listed[:1], *own[:1])),
        own_parts=tuple(row.component for row in own),
        rival_count=len(disagreements(sheet, at)),
        notes=bill.notes,
    )


def _rows_in_use(sheet: PriceSheet, workload: Workload, at: dt.datetime) -> list[PriceRow]:
    """The rows that price this workload's tokens, output first; one it has no tokens for is left out."""
    shares = {
        "output": 1.0, "input": 1.0, "cache_read": workload.cached_share, "cache_write_5m": workload.cache_write_share,
    }  # fmt: skip
    found = (
        find_row(sheet, component, "standard", at, workload.input_tokens)
        for component, share in shares.items()
        if share
    )
    return [row for row in found if row is not None]


def _usd(micro: int | None) -> float | None:
    return None if micro is None else micro / MICRO


def as_row(one: Bill) -> dict[str, Any]:
    """A bill as a row of the page's table."""
    return {
        "name": one.name,
        "provider": one.provider_id,
        "usd_per_month": one.usd_per_month,
        "blended": one.blended_usd_per_mtok,
        "input": one.input_usd,
        "cached": one.cached_usd,
        "output": one.output_usd,
        "context": one.context_tokens,
        "age": widgets.age_text(one.as_of, now().date()),
        "layer": tr(f"model_prices.layer_{one.layer}"),
        "rivals": tr("model_prices.rivals_yes", count=one.rival_count) if one.rival_count else "",
        "status": tr("model_prices.status_retired") if one.is_retired else "",
        "notes": " ".join(tr(f"model_prices.note_{note}") for note in one.notes),
    }
