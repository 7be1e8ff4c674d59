"""What would a feed change, and may it? Pure rules between what is held and what a feed says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.catalog.feeds.parsed import Parsed
from core.costs.gpus import GpuOffer

MIN_ROWS_SHARE = 0.8
LIST_MOVE, MARKET_MOVE = 2.0, 5.0
# Prices here are set by many hosts or by auction, so they move further by themselves.
MARKETS = frozenset({"vast", "lium", "saladcloud", "tensordock", "runpod"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One offer whose price differs; `share` is the change (0.1 is 10 % dearer)."""

    before: GpuOffer
    after: GpuOffer

    @property
    def share(self) -> float:
        return self.after.micro_usd_per_hour / self.before.micro_usd_per_hour - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What a feed would change. `refused_because` refuses it whole, `held` are moves too large to take unseen."""

    parsed: Parsed
    added: Sequence[GpuOffer]
    removed: Sequence[GpuOffer]
    changed: Sequence[Change]
    held: Sequence[Change]
    refused_because: str | None = None

    def offers(self, *, with_held: bool = False) -> list[tuple[GpuOffer, str]]:
        """What to take in: the feed's offers, with the former price for each held move unless `with_held`."""
        kept = {} if with_held else {_same(one.after): one.before for one in self.held}
        return [
            (offer, text)
            if (former := kept.get(_same(offer))) is None
            else (replace(former, source=offer.source, layer="feed"), str(former.usd_per_hour))
            for offer, text in self.parsed.offers
        ]


def _same(offer: GpuOffer) -> tuple[object, ...]:
    """What makes two rows the same offer, whichever copy of the source they came from."""
    return (*offer.key[:-1], offer.gpu_form if offer.instance_type.startswith("cheapest:") else None)


def base_source(offer: GpuOffer) -> str:
    """The source without the copy it was read from (`...vms.csv@00148f2a`)."""
    return offer.source.split("@")[0]


def compare(held: Iterable[GpuOffer], parsed: Parsed, held_date: dt.date | None = None) -> Diff:
    """The difference between the offers held of this source and what the feed says.

    `held_date` is the day of the last refresh. Refused whole: an older feed, and one with fewer than 80 % of the rows.
    """
    before = {_same(one): one for one in held if base_source(one) == parsed.source}
    after = {_same(one): one for one, _ in parsed.offers}
    moves = [
        Change(before=before[key], after=one)
        for key, one in after.items()
        if key in before and before[key].micro_usd_per_hour != one.micro_usd_per_hour
    ]
    dates = [one.as_of for one in before.values() if one.as_of] + ([held_date] if held_date else [])
    return Diff(
        parsed=parsed,
        added=[one for key, one in after.items() if key not in before],
        removed=[one for key, one in before.items() if key not in after],
        changed=[one for one in moves if not _is_large(one)],
        held=[one for one in moves if _is_large(one)],
        refused_because=_refusal(len(before), len(after), parsed.source_date, max(dates, default=None)),
    )


def _is_large(change: Change) -> bool:
    limit = MARKET_MOVE if change.after.provider_id in MARKETS else LIST_MOVE
    ratio = change.after.micro_usd_per_hour / change.before.micro_usd_per_hour
    return not 1 / limit <= ratio <= limit


def _refusal(before: int, after: int, feed_date: dt.date | None, held_date: dt.date | None) -> str | None:
    if not after:
        return "The feed holds no usable offer; the last prices stay."
    if feed_date and held_date and feed_date < held_date:
        return f"The feed of {feed_date} is older than the prices held, of {held_date}; those stay."
    if after < MIN_ROWS_SHARE * before:
        return f"The feed holds {after} offers where {before} are known, fewer than 80 %; the last prices stay."
    return None
