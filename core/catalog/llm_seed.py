"""How do model prices get into the database? The bundle and our own files, whenever one of them is new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update
from sqlmodel import Session, col

from core.catalog import llm_rows
from core.catalog.aliases import AliasIndex, UnknownModelError
from core.catalog.database import session
from core.catalog.feeds.genai_prices import BundledModel, bundle_version, read_bundle
from core.catalog.llm_rows import Priced, price_values
from core.catalog.llm_tables import LLM_TABLES, LlmAlias, LlmModel, LlmPriceRow
from core.catalog.rows import RefusedRow, read_rows
from core.catalog.seed import OnProgress, digest_of
from core.catalog.tables import Meta
from core.catalog.writing import create_tables, lock_for_writing
from core.costs.facts import DATA
from core.costs.tokens import PriceRow

BUNDLE_KEY = "llm bundle"
FILES = (
    "llm_corrections.csv", "llm_aliases.csv", "llm_retired.csv", "llm_batch_policies.csv", "llm_releases.csv",
    "llm_other_sources.csv", "article_llm_prices.csv",
)  # fmt: skip
SHIPPED_LAYERS = ("bundle", "correction", "other", "article")


def seed_llm(engine: Engine, on_progress: OnProgress | None = None, folder: Path = DATA) -> list[RefusedRow]:
    """Takes in the installed bundle and our files when they are new; one transaction. Returns the rows refused."""
    create_tables(engine, LLM_TABLES)
    wanted = "|".join([bundle_version(), *(digest_of(folder / name) for name in FILES)])
    with session(engine) as opened:
        done = opened.get(Meta, BUNDLE_KEY)
        if done is not None and done.value == wanted:
            return []
    if on_progress:
        on_progress(0.6, "model_prices")
    refused: list[RefusedRow] = []
    policies = list(read_rows(folder / "llm_batch_policies.csv", llm_rows.policy, refused))
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
    releases = dict(read_rows(folder / "llm_releases.csv", llm_rows.release, refused))
    corrections = list(read_rows(folder / "llm_corrections.csv", llm_rows.correction, refused))
    others = list(read_rows(folder / "llm_other_sources.csv", llm_rows.other_source, refused))
    article = [
        one for two in read_rows(folder / "article_llm_prices.csv", llm_rows.article_prices, refused) for one in two
    ]
    aliases = list(read_rows(folder / "llm_aliases.csv", llm_rows.alias, refused))
    opened.execute(
        update(LlmPriceRow)
        .where(col(LlmPriceRow.closed_at).is_(None), col(LlmPriceRow.layer).in_(SHIPPED_LAYERS))
        .values(closed_at=now)
    )
    # Models and aliases describe, they hold no prices: they are written anew, but for models that only a feed knows.
    opened.execute(delete(LlmModel).where(col(LlmModel.layer) != "feed"))
    opened.execute(delete(LlmAlias))
    split = _split_off(models, [(provider, model) for provider, model, _ in corrections])
    alias_rows = [*_alias_rows(models), *aliases]
    model_rows = [_model_row(model, retired) for model in [*models, *split]]
    _drop_known(opened, {(row["provider_id"], row["model_id"]) for row in model_rows})
    opened.execute(insert(LlmModel), model_rows)
    opened.execute(insert(LlmAlias), alias_rows)
    bundled = [(one.provider_id, one.model_id, row) for one in [*models, *split] for row in one.rows]
    priced = [
        *_since_release([*bundled, *corrections], releases),
        *others,
        *_under_our_names(article, [*models, *split], alias_rows),
    ]
    opened.execute(insert(LlmPriceRow), [price_values(*one, now) for one in priced])


def _drop_known(opened: Session, known: set[tuple[str, str]]) -> None:
    """A feed's models that the bundle knows by now are the bundle's."""
    for one in opened.scalars(select(LlmModel)).all():
        if (one.provider_id, one.model_id) in known:
            opened.delete(one)
    opened.flush()


def _since_release(rows: Iterable[Priced], releases: Mapping[tuple[str, str], dt.datetime]) -> list[Priced]:
    """Prices without those before a model's release: an open start begins there."""
    found = []
    for provider_id, model_id, row in rows:
        first = releases.get((provider_id, model_id))
        if first is not None and row.valid_to is not None and row.valid_to <= first:
            continue
        if first is not None and (row.valid_from is None or row.valid_from < first):
            row = _begun(row, first)
        found.append((provider_id, model_id, row))
    return found


def _begun(row: PriceRow, first: dt.datetime) -> PriceRow:
    return replace(row, valid_from=first)


def _under_our_names(
    rows: Iterable[Priced], models: Iterable[BundledModel], aliases: Iterable[Mapping[str, Any]]
) -> list[Priced]:
    """Prices of ids as the article writes them, under the models they mean; an id nobody knows is left out."""
    index = AliasIndex((f"{one.provider_id}/{one.model_id}" for one in models), (LlmAlias(**one) for one in aliases))
    found = []
    for provider_id, model_id, row in rows:
        try:
            provider, _, model = index.resolve(f"{provider_id}/{model_id}").partition("/")
        except UnknownModelError:
            continue
        found.append((provider, model, row))
    return found


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
