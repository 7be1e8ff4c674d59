"""How are model prices refreshed? Only when asked, from a file or the source's address, in one transaction.

`python -m core.catalog.llm_refresh [FILE]` takes in a downloaded copy of a source's price table, or fetches it;
`--source` names one of `MODEL_SOURCES`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import httpx
from sqlalchemy import Engine, insert, select, update
from sqlmodel import Session, col

from core.catalog.commands import fetch, new_client, say
from core.catalog.database import session
from core.catalog.feeds.parsed import FedModel, FeedError, ParsedModels, read_feed
from core.catalog.llm_diff import LlmDiff, compare
from core.catalog.llm_rows import price_values
from core.catalog.llm_sheets import COLUMNS, build_sheets, stored_names, utc
from core.catalog.llm_sources import MODEL_SOURCES
from core.catalog.llm_tables import LlmModel, LlmPriceRow
from core.catalog.tables import Snapshot
from core.catalog.writing import lock_for_writing
from core.costs.conventions import midnight
from core.costs.tokens import PriceRow
from core.i18n import SaidError

FEED = "feed"
_P = LlmPriceRow
Place = tuple[str, str, str, str, int]
"""Provider, model, component, processing and context tier of a price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmTaken:
    """What taking in a feed changed, in prices: stated for the first time, other than before, and seen again."""

    snapshot_id: int
    added: int
    changed: int
    confirmed: int


def preview(engine: Engine, parsed: ParsedModels) -> LlmDiff:
    """What taking in a parsed feed would change; nothing is written. Raises DatabaseProblem."""
    with session(engine) as opened:
        open_rows = opened.execute(
            select(*COLUMNS).where(col(_P.closed_at).is_(None), col(_P.layer) != "user").order_by(col(_P.id))
        ).all()
        sheets = build_sheets(list(opened.scalars(select(LlmModel))), open_rows)
        index = stored_names(opened, sheets)
        last = opened.scalars(
            select(Snapshot).where(col(Snapshot.source) == parsed.source).order_by(col(Snapshot.id).desc()).limit(1)
        ).first()
    is_held = last is not None and last.kind == "refresh"
    return compare(
        sheets,
        index,
        parsed,
        held_date=last.source_date if last and is_held else None,
        held_rows=last.row_count if last and is_held else 0,
    )


def take(engine: Engine, diff: LlmDiff) -> LlmTaken:
    """Writes a previewed feed in one transaction. SaidError for one that was refused, DatabaseProblem.

    A price that moved ends on the feed's day and the new one begins; a price seen again becomes young. Models that the
    feed no longer lists keep their last price.
    """
    if diff.refused_because:
        raise SaidError(diff.refused_because)
    now, since = dt.datetime.now(dt.UTC), midnight(diff.parsed.source_date)
    with session(engine) as opened:
        lock_for_writing(opened)
        snapshot = Snapshot(
            source=diff.parsed.source, kind="refresh", taken_at=now, source_date=diff.parsed.source_date,
            row_count=sum(len(one.rows) for one in diff.taken),
        )  # fmt: skip
        opened.add(snapshot)
        opened.flush()
        snapshot_id = cast(int, snapshot.id)  # given by the database at flush
        _add_models(opened, (one for one in diff.taken if one.key in diff.new))
        held = _held(opened, diff.parsed.source)
        closed, written, counts = _moves(held, diff.taken, since)
        _close(opened, closed, now)
        values = [
            price_values(provider, model, row, now) | {"snapshot_id": snapshot_id} for provider, model, row in written
        ]
        if values:
            opened.execute(insert(LlmPriceRow), values)
        snapshot.added, snapshot.changed = counts["added"], counts["changed"]
        return LlmTaken(snapshot_id=snapshot_id, **counts)


def forget(engine: Engine, source: str) -> int:
    """Closes every price of a feed, so that the bundle's hold; how many. The rows stay. Raises DatabaseProblem."""
    now = dt.datetime.now(dt.UTC)
    with session(engine) as opened:
        lock_for_writing(opened)
        ids = list(
            opened.scalars(
                select(col(_P.id)).where(col(_P.layer) == FEED, col(_P.source) == source, col(_P.closed_at).is_(None))
            )
        )
        _close(opened, [one for one in ids if one is not None], now)
        if ids:
            opened.add(Snapshot(source=source, kind="rollback", taken_at=now, row_count=0, removed=len(ids)))
    return len(ids)


def last_refresh(engine: Engine, source: str) -> Snapshot | None:
    """The refresh whose prices hold, None when there was none or it was undone. Raises DatabaseProblem."""
    with session(engine) as opened:
        found = opened.scalars(
            select(Snapshot).where(col(Snapshot.source) == source).order_by(col(Snapshot.id).desc()).limit(1)
        ).first()
    return found if found is not None and found.kind == "refresh" else None


def _add_models(opened: Session, models: Iterable[FedModel]) -> None:
    for one in models:
        opened.merge(
            LlmModel(
                provider_id=one.provider_id, model_id=one.model_id, name=one.model_id,
                context_window_tokens=one.context_window_tokens, layer=FEED,
            )
        )  # fmt: skip


def _held(opened: Session, source: str) -> dict[Place, tuple[int, PriceRow]]:
    """Rows of the feed that are open in time and not closed, by what they price."""
    found: dict[Place, tuple[int, PriceRow]] = {}
    query = select(_P).where(
        col(_P.layer) == FEED, col(_P.source) == source, col(_P.closed_at).is_(None), col(_P.valid_to).is_(None)
    )
    for one in opened.scalars(query):
        row = PriceRow(
            component=one.component, processing=one.processing, micro_usd_per_mtok=one.micro_usd_per_mtok,
            min_input_tokens=one.min_input_tokens, threshold_op=">=" if one.threshold_op == ">=" else ">",
            valid_from=utc(one.valid_from), layer=FEED, source=one.source, as_of=one.as_of, price_text=one.price_text,
            note=one.note,
        )  # fmt: skip
        found[_place(one.provider_id, one.model_id, row)] = (cast(int, one.id), row)
    return found


def _place(provider_id: str, model_id: str, row: PriceRow) -> Place:
    return provider_id, model_id, row.component, row.processing, row.min_input_tokens


def _moves(
    held: dict[Place, tuple[int, PriceRow]], models: Iterable[FedModel], since: dt.datetime
) -> tuple[list[int], list[tuple[str, str, PriceRow]], dict[str, int]]:
    """Rows to close, rows to write, and how many prices are new, moved and seen again."""
    closed: list[int] = []
    written: list[tuple[str, str, PriceRow]] = []
    counts = {"added": 0, "changed": 0, "confirmed": 0}
    for model in models:
        ids = (model.provider_id, model.model_id)
        places = {_place(*ids, row): row for row in model.rows}
        for place, row in places.items():
            row_id, before = held.get(place, (None, None))
            begun = replace(row, valid_from=since)
            if row_id is None or before is None:
                counts["added"] += 1
            elif before.micro_usd_per_mtok == row.micro_usd_per_mtok:
                counts["confirmed"] += 1
                begun = replace(row, valid_from=before.valid_from)
            else:
                counts["changed"] += 1
            if row_id is not None and before is not None:
                closed.append(row_id)
                if begun.valid_from == since:
                    written += _ended(ids, before, since)
            written.append((*ids, begun))
        for place, (row_id, before) in held.items():
            if place[:2] == ids and place not in places:
                closed.append(row_id)
                written += _ended(ids, before, since)
    return closed, written, counts


def _ended(ids: tuple[str, str], before: PriceRow, since: dt.datetime) -> list[tuple[str, str, PriceRow]]:
    """A former price with its end, none when it would have held for no time."""
    if before.valid_from is not None and before.valid_from >= since:
        return []
    return [(*ids, replace(before, valid_to=since))]


def _close(opened: Session, ids: list[int], now: dt.datetime) -> None:
    for start in range(0, len(ids), 500):
        opened.execute(update(LlmPriceRow).where(col(_P.id).in_(ids[start : start + 500])).values(closed_at=now))


def summary(diff: LlmDiff, taken: LlmTaken) -> str:
    """One line on what a refresh did."""
    return (
        f"{diff.parsed.source}: {taken.added} prices added, {taken.changed} changed, {taken.confirmed} confirmed, "
        f"{len(diff.new)} new models, {len(diff.held)} models held, {len(diff.parsed.refused)} entries refused"
    )


def _arguments() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m core.catalog.llm_refresh",
        description="Refreshes model prices from a public price table. Old prices are kept with their dates.",
    )
    found.add_argument("file", nargs="?", type=Path, help="a downloaded copy; fetched when none is given")
    names = list(MODEL_SOURCES)
    found.add_argument("--source", choices=names, default=names[0], help=f"whose table it is; {names[0]} by default")
    return found


def main(arguments: list[str], client: httpx.Client | None = None) -> int:
    """The command; its exit code says whether the feed was taken in."""
    from core.catalog.store import open_catalog
    from core.settings import Settings

    asked = _arguments().parse_args(arguments)
    source = MODEL_SOURCES[asked.source]
    try:
        if asked.file is not None:
            content = asked.file.read_bytes()
        else:
            with client or new_client() as opened:
                content, _ = fetch(source.url, opened)
        parsed = read_feed(source.parse, content, dt.datetime.now(dt.UTC).date())
    except (FeedError, OSError) as error:
        return say(error, 1)
    with open_catalog(Settings.from_env(os.environ).database_url) as catalog:
        diff = preview(catalog.engine, parsed)
        if diff.refused_because:
            return say(diff.refused_because, 1)
        lines = [f"held: {one.key}: {one.reason} ({one.detail})" for one in diff.held]
        return say("\n".join([*lines, summary(diff, take(catalog.engine, diff))]), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
