"""How are GPU offers refreshed? Only when asked: fetch, parse, compare, take in what may be, in one transaction.

`python -m core.catalog.refresh [name ...]` refreshes all sources or those named; one that fails keeps its last rows and
stops no other. `--list` says what was taken in, `--undo` goes back; `--help` explains them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import httpx
from sqlalchemy import Engine, select
from sqlmodel import col

from core.catalog.commands import NotModifiedError, fetch, new_client, say
from core.catalog.database import session
from core.catalog.feeds import skypilot, toolshedlabs
from core.catalog.feeds.parsed import FeedError, Parsed, read_feed
from core.catalog.gpu_diff import Diff, compare
from core.catalog.gpu_store import Taken, load_offers, roll_back, snapshots, take_in
from core.catalog.tables import Meta, Snapshot
from core.catalog.writing import lock_for_writing
from core.i18n import SaidError

UNCHANGED = "unchanged since the last refresh"
LAST = 0
"""`--undo` without a number; snapshots are numbered from 1."""

# Not mithril: its prices are the floor of an auction, nothing one can buy at.
SKYPILOT_CLOUDS = (
    "aws", "hyperstack", "jarvislabs", "lambda", "lium", "nebius", "runpod", "vast", "verda", "yotta",
)  # fmt: skip
Parse = Callable[[bytes, dt.date], Parsed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A feed: its address for a day, and what reads it (with the day it was fetched)."""

    url: Callable[[dt.date], str]
    parse: Parse


def _skypilot(cloud: str) -> Source:
    base = "https://raw.githubusercontent.com/skypilot-org/skypilot-catalog/master/catalogs/v8"
    return Source(
        url=lambda _day: f"{base}/{cloud}/vms.csv",
        parse=lambda content, day: skypilot.parse(content, cloud, seen_on=day),
    )


SOURCES: Mapping[str, Source] = {
    **{f"skypilot-{cloud}": _skypilot(cloud) for cloud in SKYPILOT_CLOUDS},
    "toolshedlabs": Source(
        url=lambda day: (
            f"https://raw.githubusercontent.com/toolshedlabs-hash/gpu-price-feed/main/data/history/v2/{day:%Y-%m}.jsonl"
        ),
        parse=lambda content, _day: toolshedlabs.parse(content),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one source: what was taken, or the sentence that says why nothing was."""

    name: str
    diff: Diff | None = None
    taken: Taken | None = None
    problem: str | None = None

    def __str__(self) -> str:
        if self.diff is None or self.taken is None:
            return f"{self.name}: {self.problem}"
        return (
            f"{self.name}: {self.taken.added} added, {self.taken.changed} changed, {self.taken.removed} removed, "
            f"{len(self.diff.held)} large moves held, {len(self.diff.parsed.refused)} rows refused"
        )


def preview(engine: Engine, parsed: Parsed) -> Diff:
    """What taking in a parsed feed would change; nothing is written. Raises DatabaseProblem."""
    with session(engine) as opened:
        held_date = opened.scalar(
            select(col(Snapshot.source_date))
            .where(col(Snapshot.source) == parsed.source, col(Snapshot.source_date).is_not(None))
            .order_by(col(Snapshot.id).desc())
            .limit(1)
        )
    return compare(load_offers(engine), parsed, held_date)


def take(engine: Engine, diff: Diff, *, etag: str | None = None, name: str = "", with_held: bool = False) -> Taken:
    """Writes a previewed feed in one transaction. SaidError for one that was refused, DatabaseProblem."""
    if diff.refused_because:
        raise SaidError(diff.refused_because)
    with session(engine) as opened:
        lock_for_writing(opened)
        taken = take_in(
            opened,
            diff.offers(with_held=with_held),
            source=diff.parsed.source,
            kind="refresh",
            now=dt.datetime.now(dt.UTC),
            source_date=diff.parsed.source_date,
            layer="feed",
        )
        if etag:
            opened.merge(Meta(key=f"etag {name}", value=etag))
        return taken


def refresh_one(engine: Engine, name: str, client: httpx.Client, today: dt.date) -> Outcome:
    """Fetches and takes in one source; what fails becomes the outcome's sentence."""
    source = SOURCES[name]
    with session(engine) as opened:
        known = opened.get(Meta, f"etag {name}")
    try:
        content, etag = fetch(source.url(today), client, known.value if known else None)
        diff = preview(engine, read_feed(source.parse, content, today))
    except NotModifiedError:
        return Outcome(name=name, problem=UNCHANGED)
    except FeedError as error:
        return Outcome(name=name, problem=str(error))
    if diff.refused_because:
        return Outcome(name=name, diff=diff, problem=str(diff.refused_because))
    return Outcome(name=name, diff=diff, taken=take(engine, diff, etag=etag, name=name))


def refresh(
    engine: Engine, names: Iterable[str] = (), *, client: httpx.Client | None = None, today: dt.date | None = None
) -> list[Outcome]:
    """Refreshes the named sources, or all; ValueError for an unknown name."""
    wanted = list(names) or list(SOURCES)
    unknown = [name for name in wanted if name not in SOURCES]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no source: choose from {', '.join(SOURCES)}.")
    day = today or dt.datetime.now(dt.UTC).date()
    opened = client or new_client()
    try:
        return [refresh_one(engine, name, opened, day) for name in wanted]
    finally:
        if client is None:
            opened.close()


def undo(engine: Engine, snapshot_id: int | None = None) -> str:
    """Makes the GPU offers what they were before a snapshot (None: the last one); one line on what that changed.

    Whatever was taken in after it goes too. ValueError for a snapshot that does not exist, and for the first one.
    """
    known = [cast(int, one.id) for one in snapshots(engine)]
    wanted = snapshot_id if snapshot_id is not None or not known else known[0]
    if wanted not in known:
        raise ValueError(f"There is no snapshot {wanted}: --list names those that can be undone.")
    before = next((one for one in known if one < wanted), None)
    if before is None:
        raise ValueError(f"Snapshot {wanted} is the first: nothing was there before it.")
    taken = roll_back(engine, before)
    return (
        f"back to snapshot {before}, as snapshot {taken.snapshot_id}: {taken.added} added, {taken.changed} changed, "
        f"{taken.removed} removed; --undo again brings back what was undone"
    )


def listed(engine: Engine) -> str:
    """One line for each snapshot that changed GPU offers, the newest first."""
    return "\n".join(
        f"{one.id}  {one.taken_at:%Y-%m-%d %H:%M}  {one.kind}  {one.source}: {one.added} added, {one.changed} changed, "
        f"{one.removed} removed"
        for one in snapshots(engine)
    )


def _arguments() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m core.catalog.refresh",
        description="Refreshes GPU offers from public feeds. Old prices are kept with their dates.",
        epilog=f"Sources: {', '.join(SOURCES)}.",
    )
    found.add_argument("source", nargs="*", help="sources to refresh; all when none is named")
    what = found.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list what was taken in, with its numbers; fetches nothing")
    what.add_argument(
        "--undo", nargs="?", type=int, const=LAST, metavar="NUMBER",
        help="make the offers what they were before that number of the list (the last when none is given), itself to "
        "be undone; fetches nothing",
    )  # fmt: skip
    return found


def main(arguments: list[str]) -> int:
    """The command; its exit code says whether at least one source was usable, or the undoing went well."""
    from core.catalog.store import open_catalog
    from core.settings import Settings

    asked = _arguments().parse_args(arguments)
    with open_catalog(Settings.from_env(os.environ).database_url) as catalog:
        try:
            if asked.list:
                return say(listed(catalog.engine), 0)
            if asked.undo is not None:
                return say(undo(catalog.engine, None if asked.undo == LAST else asked.undo), 0)
            outcomes = refresh(catalog.engine, asked.source)
        except ValueError as error:
            return say(str(error), 1)
    is_usable = any(one.taken or one.problem == UNCHANGED for one in outcomes)
    return say("\n".join(map(str, outcomes)), 0 if is_usable else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
