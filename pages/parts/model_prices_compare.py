"""What does each component of the chosen models cost, and who says otherwise?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.costs.tokens import hour_extremes, tier_thresholds, unit_prices
from core.costs.tokens_rivals import disagreements
from core.money import MICRO
from pages.parts import tables, widgets
from pages.parts.model_prices_bills import Bill, now, sheets
from pages.parts.model_prices_data import label
from pages.parts.state import fmt, tr
from pages.parts.tables import Column


def side_by_side(chosen: Sequence[Bill]) -> None:
    """Every component of the shortlist, one model a row, a long-context tier as a row of its own."""
    rows = [row for one in chosen for row in _rows(one)]
    money = [("input", 4), ("cache_read", 4), ("cache_write_5m", 4), ("cache_write_1h", 4), ("output", 4)]
    columns = [
        Column(field="name", label=tr("model_prices.model"), pinned=True),
        Column(field="usd_per_month", label=tr("model_prices.bill"), kind="money", digits=2),
        Column(field="prompt", label=tr("model_prices.prompt")),
        *(
            Column(
                field=name,
                label=tr(f"model_prices.component_{name}"),
                kind="money",
                unit="/Mtok",
                digits=digits,
                help=tr("model_prices.list_price_help"),
            )
            for name, digits in money
        ),
        Column(field="batch_input", label=tr("model_prices.batch_input"), kind="money", unit="/Mtok", digits=4),
        Column(field="batch_output", label=tr("model_prices.batch_output"), kind="money", unit="/Mtok", digits=4),
    ]
    tables.table(rows, columns, key="mp_side_table", alt=tr("model_prices.view_side"))
    provenance(chosen, key="mp_rivals_table")


def provenance(chosen: Sequence[Bill], *, key: str) -> None:
    """Age, layer and source of each model's price, and both rows wherever another source says otherwise."""
    for one in chosen:
        layer = tr(f"model_prices.layer_{one.layer}")
        parts = ", ".join(tr(f"model_prices.component_{part}") for part in one.own_parts)
        own = tr("model_prices.own_parts", parts=parts) if parts else ""
        note = tr("model_prices.source_note", text=widgets.plain(one.source)) if one.source else ""
        said = "; ".join(text for text in (own, note) if text)
        st.markdown(
            f"{widgets.age_badge(one.as_of, now().date())} :gray-badge[{layer}] **{widgets.plain(one.name)}**: {said}"
        )
    _rivals(chosen, key)


def _rows(one: Bill) -> list[dict[str, Any]]:
    sheet = sheets()[one.key]
    edges, off_peak = tier_thresholds(sheet, now()), hour_extremes(sheet, now())[0]
    found = []
    for number, edge in enumerate((0, *edges)):
        standard = unit_prices(sheet, off_peak, "standard", edge + 1)
        batch = unit_prices(sheet, off_peak, "batch", edge + 1)
        upper = fmt().compact(edges[number]) if number < len(edges) else None
        lower = fmt().compact(edge)
        prompt = tr("model_prices.prompt_any") if not edges else f"≤ {upper}" if number == 0 else f"> {lower}"
        prices = {
            "input": standard.input, "cache_read": standard.cache_read, "cache_write_5m": standard.cache_write_5m,
            "cache_write_1h": standard.cache_write_1h, "output": standard.output, "batch_input": batch.input,
            "batch_output": batch.output,
        }  # fmt: skip
        row: dict[str, Any] = {name: None if micro is None else micro / MICRO for name, micro in prices.items()}
        found.append(
            row | {"name": one.name, "prompt": prompt, "usd_per_month": one.usd_per_month if number == 0 else None}
        )
    return found


def _rivals(chosen: Sequence[Bill], key: str) -> None:
    rows = [
        {
            "name": label(one.key),
            "component": tr(f"model_prices.component_{found.used.component}"),
            "used": found.used.micro_usd_per_mtok / MICRO,
            "used_source": found.used.source,
            "rival": found.rival.micro_usd_per_mtok / MICRO,
            "rival_source": found.rival.source,
            "share": found.share,
        }
        for one in chosen
        for found in disagreements(sheets()[one.key], now())
    ]
    if not rows:
        st.caption(tr("model_prices.rivals_none"))
        return
    st.markdown("**" + tr("model_prices.rivals_title") + "**")
    columns = [
        Column(field="name", label=tr("model_prices.model"), pinned=True),
        Column(field="component", label=tr("model_prices.component")),
        Column(field="used", label=tr("model_prices.used"), kind="money", unit="/Mtok", digits=4),
        Column(field="rival", label=tr("model_prices.rival"), kind="money", unit="/Mtok", digits=4),
        Column(field="share", label=tr("model_prices.difference"), kind="share"),
        Column(field="used_source", label=tr("model_prices.used_source")),
        Column(field="rival_source", label=tr("model_prices.rival_source")),
    ]
    tables.table(rows, columns, key=key, alt=tr("model_prices.rivals_title"))
