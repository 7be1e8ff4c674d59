"""How do model prices get into the database? The bundle and our own files, whenever one of them is new."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, insert, update
from sqlmodel import Session, col

from core.catalog.database import session
from core.catalog.feeds.genai_prices import BatchPolicy, BundledModel, bundle_version, read_bundle
from core.catalog.gpu_rows import RefusedRow, Row, day, read_rows
from core.catalog.llm_tables import LLM_TABLES, LlmAlias, LlmModel, LlmPriceRow
from core.catalog.seed import DATA, OnProgress, digest_of
from core.catalog.tables import Meta
from core.catalog.writing import create_tables, lock_for_writing
from core.costs.tokens import PROCESSINGS, PriceRow
from core.money import micro_usd_rounded

BUNDLE_KEY = "llm bundle"
FILES = ("llm_corrections.csv", "llm_aliases.csv", "llm_retired.csv", "llm_batch_policies.csv")
WEEKDAYS = {name: 1 << number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
ALL_DAYS = 127


def seed_llm(engine: Engine, on_progress: OnProgress | None = None, folder: Path = DATA) -> list[RefusedRow]:
    """Takes in the installed bundle and our files when they are new; one transaction. Returns the rows refused."""
    create_tables(engine, LLM_TABLES)
    wanted = "|".join([bundle_version(), *(digest_of(folder / name) for name in FILES)])
    with session(engine) as opened:
        done = opened.get(Meta, BUNDLE_KEY)
        if done is not None and done.value == wanted:
            return []
    if on_progress:
        on_progress(0.6, "genai-prices")
    refused: list[RefusedRow] = []
    policies = list(read_rows(folder / "llm_batch_policies.csv", _policy, refused))
    models = list(read_bundle(policies))
    with session(engine) as opened:
        lock_for_writing(opened)
        done = opened.get(Meta, BUNDLE_KEY)
        if done is not None and done.value == wanted:
            return []
        _take_in(opened, models, folder, refused)
        opened.merge(Meta(key=BUNDLE_KEY, value=wanted if not refused else f"{wanted} with refused rows"))
    return refused


def _take_in(opened: Session, models: list[BundledModel], folder: Path, refused: list[RefusedRow]) -> None:
    now = dt.datetime.now(dt.UTC)
    retired = set(read_rows(folder / "llm_retired.csv", lambda row: (row["provider_id"], row["model_id"]), refused))
    corrections = list(read_rows(folder / "llm_corrections.csv", correction, refused))
    aliases = list(read_rows(folder / "llm_aliases.csv", _alias, refused))
    opened.execute(
        update(LlmPriceRow)
        .where(col(LlmPriceRow.closed_at).is_(None), col(LlmPriceRow.layer).in_(("bundle", "correction")))
        .values(closed_at=now)
    )
    # Models and aliases describe, they hold no prices: they are written anew.
    opened.execute(delete(LlmModel))
    opened.execute(delete(LlmAlias))
    split = _split_off(models, [(provider, model) for provider, model, _ in corrections])
    opened.execute(insert(LlmModel), [_model_row(model, retired) for model in [*models, *split]])
    opened.execute(insert(LlmAlias), [*_alias_rows(models), *aliases])
    rows = [(one.provider_id, one.model_id, row) for one in [*models, *split] for row in one.rows]
    opened.execute(insert(LlmPriceRow), [price_values(*one, now) for one in [*rows, *corrections]])


def _split_off(models: list[BundledModel], corrected: Iterable[tuple[str, str]]) -> list[BundledModel]:
    """Models of our corrections that the bundle knows only as another name of a model: they start with its prices."""
    known = {(one.provider_id, one.model_id) for one in models}
    by_alias = {(one.provider_id, pattern): one for one in models for kind, pattern in one.aliases if kind == "exact"}
    found = []
    for provider_id, model_id in dict.fromkeys(corrected):
        if (provider_id, model_id) not in known:
            origin = by_alias.get((provider_id, model_id))
            found.append(
                BundledModel(
                    provider_id=provider_id,
                    model_id=model_id,
                    name=model_id,
                    context_window_tokens=origin.context_window_tokens if origin else None,
                    is_retired=origin.is_retired if origin else False,
                    aliases=(),
                    rows=origin.rows if origin else (),
                    modalities=origin.modalities if origin else ("text",),
                )
            )
    return found


def _model_row(one: BundledModel, retired: set[tuple[str, str]]) -> dict[str, Any]:
    return {
        "provider_id": one.provider_id,
        "model_id": one.model_id,
        "name": one.name,
        "context_window_tokens": one.context_window_tokens,
        "is_retired": one.is_retired or (one.provider_id, one.model_id) in retired,
        "modalities": ",".join(one.modalities),
        "note": "",
        "layer": "bundle",
    }


def _alias_rows(models: list[BundledModel]) -> list[dict[str, Any]]:
    return [
        {"provider_id": one.provider_id, "model_id": one.model_id, "kind": kind, "pattern": pattern, "rank": number}
        for number, one in enumerate(models, start=1)
        for kind, pattern in one.aliases
    ]


def price_values(provider_id: str, model_id: str, row: PriceRow, now: dt.datetime, grade: str = "") -> dict[str, Any]:
    """A price as the columns of its table."""
    return {
        "provider_id": provider_id,
        "model_id": model_id,
        "component": row.component,
        "processing": row.processing,
        "micro_usd_per_mtok": row.micro_usd_per_mtok,
        "price_text": row.price_text,
        "min_input_tokens": row.min_input_tokens,
        "threshold_op": row.threshold_op,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "window_start_minute": row.window[0] if row.window else None,
        "window_end_minute": row.window[1] if row.window else None,
        "weekdays": row.weekdays,
        "layer": row.layer,
        "source": row.source,
        "as_of": row.as_of,
        "grade": grade,
        "note": row.note,
        "created_at": now,
    }


def correction(row: Row) -> tuple[str, str, PriceRow]:
    """One corrected price; ValueError names the column that is wrong."""
    if row["processing"] not in PROCESSINGS:
        raise ValueError(f"processing is {row['processing']!r}: one of {', '.join(PROCESSINGS)} is needed")
    found = PriceRow(
        component=row["component"],
        processing=row["processing"],
        micro_usd_per_mtok=micro_usd_rounded(row["usd_per_mtok"]),
        price_text=row["usd_per_mtok"],
        min_input_tokens=int(row["min_input_tokens"] or 0),
        threshold_op=">=" if row["threshold_op"] == ">=" else ">",
        valid_from=moment(row["valid_from"]),
        valid_to=moment(row["valid_to"]),
        window=_window(row["window_utc"]) if row["window_utc"] else None,
        weekdays=_weekdays(row["weekdays"]),
        layer="correction",
        source=row["source"],
        as_of=day(row, "as_of"),
        note=f"grade {row['grade']}",
    )
    return row["provider_id"], row["model_id"], found


def moment(text: str) -> dt.datetime | None:
    """A moment such as 2025-02-08T16:00Z, None when empty; ValueError for another shape."""
    return dt.datetime.fromisoformat(text) if text.strip() else None


def _window(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", text.strip())
    if match is None:
        raise ValueError(f"window_utc is {text!r}: hours such as 16:30-00:30 are needed")
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    return start_hour * 60 + start_minute, end_hour * 60 + end_minute


def _weekdays(text: str) -> int:
    if not text.strip():
        return ALL_DAYS
    first, _, last = text.strip().partition("-")
    names = list(WEEKDAYS)
    days = names[names.index(first) : names.index(last or first) + 1]
    return sum(WEEKDAYS[name] for name in days)


def _alias(row: Row) -> dict[str, Any]:
    return {
        "provider_id": row["provider_id"],
        "model_id": row["model_id"],
        "kind": "exact",
        "pattern": row["alias"].lower(),
        "rank": 0,
    }


def _policy(row: Row) -> BatchPolicy:
    start = moment(row["valid_from"])
    if start is None:
        raise ValueError("valid_from is empty")
    return BatchPolicy(
        provider_id=row["provider_id"],
        share=Decimal(row["share"]),
        components=frozenset(row["components"].split(";")),
        valid_from=start,
        every_model=re.compile(row["every_model"]) if row["every_model"] else None,
        source=row["source"],
    )
