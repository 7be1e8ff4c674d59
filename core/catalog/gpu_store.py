"""How do GPU offers get into the database and out of it? A new price closes the old row; nothing is overwritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

from sqlalchemy import Engine, insert, select, update
from sqlmodel import Session, col

from core.catalog.database import session
from core.catalog.tables import GpuOfferRow, GpuSpecRow, Provider, Snapshot
from core.costs.gpus import GpuOffer, GpuSpec

OFFER_FIELDS = tuple(field.name for field in fields(GpuOffer))
SPEC_FIELDS = tuple(field.name for field in fields(GpuSpec))


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
    layer: str = "facts",
    digest: str = "",
) -> Taken:
    """Makes `offers` (with the raw text of each price) what `layer` holds for `source`: closes what changed or went.

    `source` is the file or feed as a whole; rows of other sources in the same layer are left alone unless their own
    `source` text is among those of `offers`.
    """
    wanted: dict[tuple[Any, ...], tuple[GpuOffer, str]] = {}
    for offer, text in offers:
        wanted.setdefault((*offer.key, offer.micro_usd_per_hour), (offer, text))
    snapshot = Snapshot(
        source=source, kind=kind, taken_at=now, source_date=source_date, row_count=len(wanted), digest=digest
    )
    opened.add(snapshot)
    opened.flush()
    snapshot_id = cast(int, snapshot.id)  # given by the database at flush
    names = _sources_of(opened, source) | {offer.source for offer, _ in wanted.values()}
    open_rows = _open_rows(opened, layer, names)
    gone = [row_id for key, row_id in open_rows.items() if key not in wanted]
    new = [pair for key, pair in wanted.items() if key not in open_rows]
    _close(opened, gone, snapshot_id, now)
    if new:
        opened.execute(insert(GpuOfferRow), [_row(*pair, snapshot_id, now, layer) for pair in new])
    gone_keys = {key[:-1] for key in open_rows if key not in wanted}
    changed = sum(1 for offer, _ in new if offer.key in gone_keys)
    snapshot.added, snapshot.changed, snapshot.removed = len(new) - changed, changed, len(gone) - changed
    return Taken(snapshot_id=snapshot_id, added=snapshot.added, changed=changed, removed=snapshot.removed)


def _sources_of(opened: Session, source: str) -> set[str]:
    """The source texts of rows that earlier snapshots of the same file or feed brought."""
    ids = select(col(Snapshot.id)).where(col(Snapshot.source) == source)
    return set(opened.scalars(select(col(GpuOfferRow.source)).where(col(GpuOfferRow.snapshot_id).in_(ids)).distinct()))


def _open_rows(opened: Session, layer: str, sources: set[str]) -> dict[tuple[Any, ...], int]:
    row = GpuOfferRow
    found = opened.execute(
        select(
            col(row.id),
            col(row.provider_id),
            col(row.instance_type),
            col(row.gpu_model),
            col(row.region),
            col(row.purchase_option),
            col(row.commitment_months),
            col(row.source),
            col(row.micro_usd_per_hour),
        ).where(col(row.valid_to).is_(None), col(row.layer) == layer, col(row.source).in_(sources))
    )
    return {(r[1], r[2], r[3], r[4] or "", *r[5:]): r[0] for r in found}


def _close(opened: Session, ids: Sequence[int], snapshot_id: int, now: dt.datetime) -> None:
    for start in range(0, len(ids), 500):
        opened.execute(
            update(GpuOfferRow)
            .where(col(GpuOfferRow.id).in_(ids[start : start + 500]))
            .values(valid_to=now, closed_by=snapshot_id)
        )


def _row(offer: GpuOffer, text: str, snapshot_id: int, now: dt.datetime, layer: str) -> dict[str, Any]:
    values = {name: getattr(offer, name) for name in OFFER_FIELDS}
    return values | {"layer": layer, "snapshot_id": snapshot_id, "valid_from": now, "price_text": text}


def roll_back(engine: Engine, snapshot_id: int) -> None:
    """Undoes everything taken in after a snapshot: later rows are closed, rows they closed are opened again."""
    now = dt.datetime.now(dt.UTC)
    with session(engine) as opened:
        opened.execute(
            update(GpuOfferRow)
            .where(col(GpuOfferRow.snapshot_id) > snapshot_id, col(GpuOfferRow.valid_to).is_(None))
            .values(valid_to=now)
        )
        opened.execute(
            update(GpuOfferRow)
            .where(col(GpuOfferRow.snapshot_id) <= snapshot_id, col(GpuOfferRow.closed_by) > snapshot_id)
            .values(valid_to=None, closed_by=None)
        )


def load_offers(engine: Engine, at: dt.datetime | None = None) -> list[GpuOffer]:
    """All offers that hold now, or held `at` (UTC), in a stable order."""
    row = GpuOfferRow
    query = select(*(getattr(row, name) for name in OFFER_FIELDS)).order_by(
        col(row.provider_id), col(row.gpu_model), col(row.instance_type), col(row.id)
    )
    if at is None:
        query = query.where(col(row.valid_to).is_(None))
    else:
        query = query.where(col(row.valid_from) <= at, (col(row.valid_to).is_(None)) | (col(row.valid_to) > at))
    with session(engine) as opened:
        return [GpuOffer(**dict(zip(OFFER_FIELDS, found, strict=True))) for found in opened.execute(query)]


def load_specs(engine: Engine) -> dict[tuple[str, str], GpuSpec]:
    """Specs by (model, form)."""
    with session(engine) as opened:
        found = opened.execute(select(*(getattr(GpuSpecRow, name) for name in SPEC_FIELDS)))
        specs = [GpuSpec(**dict(zip(SPEC_FIELDS, values, strict=True))) for values in found]
    return {(spec.gpu_model, spec.gpu_form): spec for spec in specs}


def load_providers(engine: Engine) -> dict[str, Mapping[str, Any]]:
    """What is known of each provider, by id; unknown is None."""
    with session(engine) as opened:
        return {one.provider_id: cast(Mapping[str, Any], one.model_dump()) for one in opened.scalars(select(Provider))}
