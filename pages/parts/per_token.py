"""How are offers shown that are ranked by what a useful token costs on them?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from core.costs.selfhost_ranking import RankedOffer, cheapest_dated, undated_below
from pages.parts import tables, widgets
from pages.parts.offer_words import gpu_text, place_text, provider_name
from pages.parts.state import catalog, fmt, tr


def columns() -> list[tables.Column]:
    """Columns for `rows`."""
    return [
        tables.Column(field="provider", label=tr("self_host.col_provider"), pinned=True),
        tables.Column(field="gpu", label=tr("self_host.col_gpu")),
        tables.Column(field="region", label=tr("self_host.col_region")),
        tables.Column(field="gpus", label=tr("self_host.col_gpus"), kind="number"),
        tables.Column(field="usd_per_mtok", label=tr("self_host.col_per_mtok"), kind="money", unit="/Mtok", digits=3),
        tables.Column(field="tco", label=tr("self_host.col_tco"), kind="money", unit=tr("common.per_month")),
        tables.Column(field="utilization", label=tr("self_host.col_utilization"), kind="share", digits=1),
        tables.Column(field="speed", label=tr("self_host.col_speed"), kind="number", unit="tok/s"),
        tables.Column(field="as_of", label=tr("self_host.col_age")),
        tables.Column(field="note", label=tr("self_host.col_note"), help=tr("self_host.col_note_help")),
        tables.Column(field="source", label=tr("self_host.col_source")),
    ]


def rows(ranked: Sequence[RankedOffer], today: dt.date, precision: str) -> list[dict[str, Any]]:
    """One row an offer, with the fleet of it that the workload needs, its price's age and source."""
    providers, is_any_dated = catalog().providers(), any(one.is_dated for one in ranked)
    return [
        {
            "provider": provider_name(providers, one.offer.provider_id),
            "gpu": f"{fmt().number(one.fleet.machine.gpu_count)} × {gpu_text(one.offer)}",
            "region": place_text(one.offer) if one.offer.region or one.offer.country else "–",
            "gpus": one.fleet.gpu_count,
            "usd_per_mtok": one.fleet.usd_per_mtok,
            "tco": one.fleet.tco_usd_per_month,
            "utilization": one.fleet.utilization,
            "speed": one.estimate.output_tokens_per_s,
            "as_of": widgets.age_text(one.offer.as_of, today),
            "note": "; ".join(_notes(one, precision, is_any_dated=is_any_dated)),
            "source": one.offer.source,
        }
        for one in ranked
    ]


def _notes(one: RankedOffer, precision: str, *, is_any_dated: bool) -> list[str]:
    """What a reader must know about a row's price and speed."""
    is_own = one.estimate.basis_kind == "own_measurement"
    found = [tr("self_host.note_measured")] if is_own else []
    if not one.is_dated and is_any_dated:
        found.append(tr("self_host.note_undated"))
    if one.offer.is_per_gpu:
        found.append(tr("self_host.note_per_gpu"))
    if one.estimate.computed_in not in ("", precision):
        found.append(tr("self_host.note_wider", narrow=precision.upper(), wide=one.estimate.computed_in.upper()))
    return found


def order(ranked: Sequence[RankedOffer]) -> str:
    """How the table is sorted, and which of its prices may be called the cheapest."""
    text, best, cheaper = tr("self_host.order"), cheapest_dated(ranked), undated_below(ranked)
    if cheaper and best:
        text = f"{text} {undated_text(cheaper)}"
    elif best and not best.is_dated:
        text = f"{text} {tr('self_host.all_undated')}"
    return text


def undated_text(cheaper: Sequence[RankedOffer]) -> str:
    """How many undated offers would be cheaper than the cheapest dated one, and what the first of them would cost."""
    first, show = cheaper[0], fmt()
    return tr(
        "self_host.undated_one" if len(cheaper) == 1 else "self_host.undated_many", count=show.number(len(cheaper)),
        usd=show.money_short(first.fleet.tco_usd_per_month),
        fleet=f"{show.number(first.fleet.gpu_count)} × {gpu_text(first.offer)}",
        provider=provider_name(catalog().providers(), first.offer.provider_id),
    )  # fmt: skip
