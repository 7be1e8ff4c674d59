"""Price sheets and ways for the tests of the simulation."""

from __future__ import annotations

import datetime as dt

from core.costs.monthly import ModelWay
from core.costs.tokens import PriceRow, PriceSheet

START = dt.date(2026, 12, 1)
USD = 1_000_000


def row(component: str, usd_per_mtok: float, **more: object) -> PriceRow:
    return PriceRow(component=component, micro_usd_per_mtok=round(usd_per_mtok * USD), source="test", **more)  # type: ignore[arg-type]  # free keyword arguments of a helper


def sheet(*rows: PriceRow, model: str = "m") -> PriceSheet:
    return PriceSheet(provider_id="p", model_id=model, name=model, rows=rows)


def plain(input_usd: float = 2.0, output_usd: float = 8.0, model: str = "m") -> PriceSheet:
    return sheet(row("input", input_usd), row("output", output_usd), model=model)


def way(found: PriceSheet | None = None, name: str = "way", **more: object) -> ModelWay:
    return ModelWay(name=name, sheet=found or plain(), **more)  # type: ignore[arg-type]  # free keyword arguments of a helper


def utc(year: int, month: int, day: int = 1) -> dt.datetime:
    return dt.datetime(year, month, day, tzinfo=dt.UTC)
