"""What would a feed change in the GPU offers, and may it? Pure rules between what is held and what a feed says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.catalog.feed_rules import LIST_MOVE, is_large_move, refusal
from core.catalog.feeds.parsed import Parsed
from core.costs.gpu_sellers import MARKETPLACES
from core.costs.gpus import CHEAPEST_PER_GPU, GpuOffer
from core.i18n import Said

# Prices of marketplaces are set by many hosts or by auction, so they move further by themselves.
MARKET_MOVE = 5.0


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
    refused_because: Said | None = None

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
    is_nameless = offer.instance_type.startswith(f"{CHEAPEST_PER_GPU}:")
    return (*offer.key[:-1], offer.gpu_form if is_nameless else None)


def base_source(offer: GpuOffer) -> str:
    """The source without the copy it was read from (`...vms.csv@00148f2a`)."""
    return offer.source.split("@")[0]


def compare(held: Iterable[GpuOffer], parsed: Parsed, held_date: dt.date | None = None) -> Diff:
    """The difference between the offers held of this source and what the feed says.

    `held_date` is the day of the last refresh; `feed_rules.refusal` says which feed is refused whole.
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
        refused_because=refusal(
            "offers",
            found=len(after),
            known=len(before),
            feed_date=parsed.source_date,
            held_date=max(dates, default=None),
        ),
    )


def _is_large(change: Change) -> bool:
    limit = MARKET_MOVE if change.after.provider_id in MARKETPLACES else LIST_MOVE
    return is_large_move(change.before.micro_usd_per_hour, change.after.micro_usd_per_hour, limit)
