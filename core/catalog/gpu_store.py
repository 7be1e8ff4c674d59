"""How do GPU offers get into the database and out of it? A new price closes the old row; nothing is overwritten."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, cast

from sqlalchemy import Engine, insert, select, update
from sqlmodel import Session, col

from core.catalog.database import session
from core.catalog.tables import GpuOfferRow, GpuSpecRow, Provider, Snapshot
from core.catalog.writing import lock_for_writing
from core.costs.gpus import GpuOffer, GpuSpec, Layer

OFFER_FIELDS = tuple(field.name for field in fields(GpuOffer))
SPEC_FIELDS = tuple(field.name for field in fields(GpuSpec))

# An offer seen again at the same price on a later day is a new row: its age is part of what is known.
Content = tuple[Any, ...]


class Held(NamedTuple):
    """A row of the database: its number, the raw text of its price, and the offer."""

    row_id: int
    price_text: str
    offer: GpuOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What taking in a set of offers changed."""

    snapshot_id: int
    added: int
    changed: int
    removed: int


def take_in(
    opened: Session,
    offers: Iterable[tuple[GpuOffer, str]],
    *,
    source: str,
    kind: str,
    now: dt.datetime,
    source_date: dt.date | None = None,
    layer: Layer = "facts",
    digest: str = "",
) -> Taken:
    """Makes `offers` (with the raw text of each price) what `layer` holds for `source`: closes what changed or went.

    `source` is the file or feed as a whole; rows of other sources in the same layer are left alone unless their own
    `source` text is among those of `offers`.
    """
    wanted: dict[Content, tuple[GpuOffer, str]] = {}
    for given, text in offers:
        offer = given if given.layer == layer else replace(given, layer=layer)
        wanted.setdefault(_content(offer), (offer, text))
    names = _sources_of(opened, source) | {offer.source for offer, _ in wanted.values()}
    row = GpuOfferRow
    held = _rows(opened, col(row.valid_to).is_(None), col(row.layer) == layer, col(row.source).in_(names))
    snapshot = Snapshot(
        source=source, kind=kind, taken_at=now, source_date=source_date, row_count=len(wanted), digest=digest
    )
    return _replace(opened, snapshot, held, wanted)


def _replace(
    opened: Session,
    snapshot: Snapshot,
    held: Mapping[Content, Held],
    wanted: Mapping[Content, tuple[GpuOffer, str]],
) -> Taken:
    """Closes the held rows that are not wanted, adds the wanted ones that are not held, and notes what changed."""
    opened.add(snapshot)
    opened.flush()
    snapshot_id = cast(int, snapshot.id)  # given by the database at flush
    gone = {key: one for key, one in held.items() if key not in wanted}
    new = [found for key, found in wanted.items() if key not in held]
    _close(opened, [one.row_id for one in gone.values()], snapshot_id, snapshot.taken_at)
    if new:
        opened.execute(insert(GpuOfferRow), [_row(*found, snapshot_id, snapshot.taken_at) for found in new])
    before = Counter(one.offer.key for one in gone.values())
    changed = sum((before & Counter(offer.key for offer, _ in new)).values())
    snapshot.added, snapshot.changed, snapshot.removed = len(new) - changed, changed, len(gone) - changed
    return Taken(snapshot_id=snapshot_id, added=snapshot.added, changed=changed, removed=snapshot.removed)


def _content(offer: GpuOffer) -> Content:
    return tuple(getattr(offer, name) for name in OFFER_FIELDS)


def _sources_of(opened: Session, source: str) -> set[str]:
    """The source texts of rows that earlier snapshots of the same file or feed brought."""
    ids = select(col(Snapshot.id)).where(col(Snapshot.source) == source)
    return set(opened.scalars(select(col(GpuOfferRow.source)).where(col(GpuOfferRow.snapshot_id).in_(ids)).distinct()))


def _rows(opened: Session, *conditions: Any) -> dict[Content, Held]:
    columns = [getattr(GpuOfferRow, name) for name in ("id", "price_text", *OFFER_FIELDS)]
    found: dict[Content, Held] = {}
    for row_id, price_text, *values in opened.execute(select(*columns).where(*conditions)):
        offer = GpuOffer(**dict(zip(OFFER_FIELDS, values, strict=True)))
        found[_content(offer)] = Held(row_id=row_id, price_text=price_text, offer=offer)
    return found


def _close(opened: Session, ids: Sequence[int], snapshot_id: int, now: dt.datetime) -> None:
    for start in range(0, len(ids), 500):
        opened.execute(
            update(GpuOfferRow)
            .where(col(GpuOfferRow.id).in_(ids[start : start + 500]))
            .values(valid_to=now, closed_by=snapshot_id)
        )


def _row(offer: GpuOffer, text: str, snapshot_id: int, now: dt.datetime) -> dict[str, Any]:
    values = {name: getattr(offer, name) for name in OFFER_FIELDS}
    return values | {"snapshot_id": snapshot_id, "valid_from": now, "price_text": text}


def roll_back(engine: Engine, snapshot_id: int) -> Taken:
    """Makes the offers what they were after a snapshot, as a snapshot of its own: history stays, and this too can be
    rolled back. ValueError for a snapshot that does not exist, DatabaseProblem.
    """
    row = GpuOfferRow
    with session(engine) as opened:
        lock_for_writing(opened)
        if opened.get(Snapshot, snapshot_id) is None:
            raise ValueError(f"snapshot_id is {snapshot_id}: no such snapshot; choose one of the list.")
        then = _rows(
            opened,
            col(row.snapshot_id) <= snapshot_id,
            col(row.closed_by).is_(None) | (col(row.closed_by) > snapshot_id),
        )
        held = _rows(opened, col(row.valid_to).is_(None))
        snapshot = Snapshot(
            source=f"snapshot {snapshot_id}", kind="rollback", taken_at=dt.datetime.now(dt.UTC), row_count=len(then)
        )
        return _replace(opened, snapshot, held, {key: (one.offer, one.price_text) for key, one in then.items()})


def snapshots(engine: Engine) -> list[Snapshot]:
    """What brought or closed GPU offers, newest first: not what changed none, nor snapshots of model prices.

    Raises DatabaseProblem.
    """
    brought = select(col(GpuOfferRow.snapshot_id))
    closed = select(col(GpuOfferRow.closed_by)).where(col(GpuOfferRow.closed_by).is_not(None))
    query = select(Snapshot).where(col(Snapshot.id).in_(brought.union(closed))).order_by(col(Snapshot.id).desc())
    with session(engine) as opened:
        return list(opened.scalars(query))


def load_offers(engine: Engine, at: dt.datetime | None = None) -> list[GpuOffer]:
    """All offers that hold now, or held `at` (UTC), in a stable order. Raises DatabaseProblem."""
    row = GpuOfferRow
    query = select(*(getattr(row, name) for name in OFFER_FIELDS)).order_by(
        col(row.provider_id), col(row.gpu_model), col(row.instance_type), col(row.id)
    )
    if at is None:
        query = query.where(col(row.valid_to).is_(None))
    else:
        query = query.where(col(row.valid_from) <= at, (col(row.valid_to).is_(None)) | (col(row.valid_to) > at))
    with session(engine) as opened:
        offers = [GpuOffer(**dict(zip(OFFER_FIELDS, found, strict=True))) for found in opened.execute(query)]
    return _highest_layer(offers)


def _highest_layer(offers: list[GpuOffer]) -> list[GpuOffer]:
    """Leaves out shipped rows whose source has been refreshed: the feed tells the same story anew."""
    refreshed = {one.source for one in offers if one.layer == "feed"}
    return [one for one in offers if one.layer != "facts" or one.source.split("@")[0] not in refreshed]


def load_specs(engine: Engine) -> dict[tuple[str, str], GpuSpec]:
    """Specs by (model, form). Raises DatabaseProblem."""
    with session(engine) as opened:
        found = opened.execute(select(*(getattr(GpuSpecRow, name) for name in SPEC_FIELDS)))
        specs = [GpuSpec(**dict(zip(SPEC_FIELDS, values, strict=True))) for values in found]
    return {(spec.gpu_model, spec.gpu_form): spec for spec in specs}


def load_providers(engine: Engine) -> dict[str, Mapping[str, Any]]:
    """What is known of each provider, by id; unknown is None. Raises DatabaseProblem."""
    with session(engine) as opened:
        return {one.provider_id: cast(Mapping[str, Any], one.model_dump()) for one in opened.scalars(select(Provider))}
