"""How is an offer shown that is ranked by what a useful token costs on it?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from core.costs.selfhost_ranking import RankedOffer
from pages.parts import tables, widgets
from pages.parts.gpu_rows import gpu_text, provider_name
from pages.parts.state import catalog, tr


def columns() -> list[tables.Column]:
    """Columns for `rows`."""
    return [
        tables.Column(field="provider", label=tr("self_host.col_provider"), pinned=True),
        tables.Column(field="gpu", label=tr("self_host.col_gpu")),
        tables.Column(field="region", label=tr("self_host.col_region")),
        tables.Column(field="gpus", label=tr("self_host.col_gpus"), kind="number"),
        tables.Column(field="usd_per_mtok", label=tr("self_host.col_per_mtok"), kind="money", unit="/Mtok", digits=3),
        tables.Column(field="tco", label=tr("self_host.col_tco"), kind="money", unit=tr("common.per_month")),
        tables.Column(field="utilization", label=tr("self_host.col_utilization"), kind="share"),
        tables.Column(field="speed", label=tr("self_host.col_speed"), kind="number", unit="tok/s"),
        tables.Column(field="as_of", label=tr("self_host.col_age")),
        tables.Column(field="source", label=tr("self_host.col_source")),
    ]


def rows(ranked: Sequence[RankedOffer], today: dt.date) -> list[dict[str, Any]]:
    """One row an offer, with the fleet of it that the workload needs, its price's age and source."""
    providers = catalog().providers()
    return [
        {
            "provider": provider_name(providers, one.offer.provider_id),
            "gpu": f"{one.offer.gpu_count} × {gpu_text(one.offer)}",
            "region": one.offer.region or one.offer.country or "–",
            "gpus": one.fleet.gpu_count,
            "usd_per_mtok": one.fleet.usd_per_mtok,
            "tco": one.fleet.tco_usd_per_month,
            "utilization": one.fleet.utilization,
            "speed": one.estimate.output_tokens_per_s,
            "as_of": widgets.age_text(one.offer.as_of, today),
            "source": one.offer.source,
        }
        for one in ranked
    ]
