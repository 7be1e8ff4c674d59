"""Which offer serves a model the cheapest per useful token? Every offer as a machine, ranked by its fleet's cost."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from core.costs.gpus import GpuOffer
from core.costs.model_shapes import ModelShape
from core.costs.selfhost import Fleet, Machine, Operations, fleets_of, total_usd
from core.costs.selfhost_options import FleetOptions, fleet_options, operations_of
from core.costs.selfhost_replicas import OwnSpeed, replica_estimates
from core.costs.throughput import ThroughputEstimate
from core.workload import Workload

__all__ = [
    "RankedOffer", "Ranking", "cheapest_dated", "machine_of", "rank_offers", "ranked", "replica_estimates", "speed_of",
    "undated_below",
]  # fmt: skip


AT_ONCE = 32
"""Fleets made together with the one that is looked at: one alone takes as long as ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedOffer:
    """An offer, the speed of one replica on it, the fleet of it that the workload needs, and how it is bought."""

    offer: GpuOffer
    estimate: ThroughputEstimate
    fleet: Fleet
    operations: Operations

    @property
    def is_dated(self) -> bool:
        """Whether anybody says on which day the price held."""
        return self.offer.as_of is not None


def machine_of(
    offer: GpuOffer,
    estimate: ThroughputEstimate,
    *,
    reserved_usd_per_hour: float | None = None,
    spot_usd_per_hour: float | None = None,
) -> Machine:
    """The offer as a machine at its own price, in the field of its purchase option; others as given.

    A spot or reserved offer has no price on demand of its own: there its own price stands for it.
    """
    usd = offer.micro_usd_per_hour / 1e6
    return Machine(
        name=f"{offer.provider_id} {offer.instance_type}",
        gpu_model=offer.gpu_model,
        gpu_count=offer.gpu_count,
        on_demand_usd_per_hour=usd,
        gpus_per_replica=estimate.gpus_per_replica,
        tokens_per_s_per_replica=estimate.output_tokens_per_s,
        reserved_usd_per_hour=usd if offer.purchase_option == "reserved" else reserved_usd_per_hour,
        spot_usd_per_hour=usd if offer.purchase_option == "spot" else spot_usd_per_hour,
    )


def rank_offers(
    offers: Iterable[GpuOffer],
    model: str | ModelShape,
    workload: Workload,
    operations: Operations,
    *,
    precision: str = "fp8",
    today: dt.date | None = None,
    siblings: Iterable[GpuOffer] = (),
    own: OwnSpeed | None = None,
) -> list[RankedOffer]:
    """Offers that can serve the model, the cheapest per useful token first, each with the replicas that cost least.

    Which offers those are, and errors, as in `fleet_options`. Undated prices stand where their cost puts them:
    `cheapest_dated` says which may be called the cheapest.
    """
    found = fleet_options(
        offers, model, workload, operations, precision=precision, today=today, siblings=siblings, own=own
    )
    return ranked(found, workload)[:]


class Ranking(Sequence[RankedOffer]):
    """Offers in the order of their cost, each with the replicas that cost least.

    Their fleets are made when they are looked at, some at once: a page shows the first of a thousand.
    """

    def __init__(self, options: FleetOptions, places: Sequence[int], workload: Workload) -> None:
        self._options, self._places, self._workload = options, places, workload
        self._made: dict[int, RankedOffer] = {}

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> RankedOffer: ...
    @overload
    def __getitem__(self, at: slice) -> list[RankedOffer]: ...
    def __getitem__(self, at: int | slice) -> RankedOffer | list[RankedOffer]:
        ranks = range(len(self))[at]
        if isinstance(ranks, int):
            self._make(range(ranks, min(ranks + AT_ONCE, len(self))))
            return self._made[ranks]
        self._make(ranks)
        return [self._made[rank] for rank in ranks]

    def first(self, is_wanted: Callable[[GpuOffer], bool]) -> RankedOffer | None:
        """The cheapest of the offers that are wanted, None when there is none; the others' fleets are not made."""
        places, options = enumerate(self._places), self._options
        return next((self[rank] for rank, place in places if is_wanted(options.offer(place))), None)

    def _make(self, ranks: Iterable[int]) -> None:
        options, missing = self._options, [rank for rank in ranks if rank not in self._made]
        places = [self._places[rank] for rank in missing]
        machines = [options.machine(place) for place in places]
        fleets = fleets_of(
            machines, options.columns.taken(np.array(places, dtype=np.intp)), self._workload, options.operations
        )
        for rank, place, fleet in zip(missing, places, fleets, strict=True):
            offer = options.offer(place)
            self._made[rank] = RankedOffer(
                offer=offer, estimate=options.estimates[place], fleet=fleet,
                operations=operations_of(offer, options.operations),
            )  # fmt: skip


def ranked(options: FleetOptions, workload: Workload) -> Ranking:
    """Each offer with the size of replica whose fleet costs least (of equal ones the fastest per GPU), by cost.

    Of offers that cost the same, those with a date stand first.
    """
    columns = options.columns
    usd = total_usd(
        columns, workload, options.operations, np.full(len(columns), float(workload.requests_per_month))
    ).round(6)  # fmt: skip
    # Of fleets that cost the same, the one with the most to spare.
    spare = columns.tokens_per_s_per_replica / columns.gpus_per_replica
    order = np.lexsort((-spare, usd, options.owners))
    owners = options.owners[order]
    best = order[np.diff(owners, prepend=-1) != 0]
    undated = np.array([one.as_of is None for one in options.offers], dtype=bool)[options.owners[best]]
    return Ranking(options, best[np.lexsort((undated, usd[best]))].tolist(), workload)


def cheapest_dated(found: Sequence[RankedOffer]) -> RankedOffer | None:
    """The first offer whose price has a date; the first of all when none has, None when there is none.

    A price without a date may have been true once: it is shown where it stands, and not called the cheapest.
    """
    return next((one for one in found if one.is_dated), found[0] if found else None)


def undated_below(found: Sequence[RankedOffer]) -> list[RankedOffer]:
    """The undated offers that stand before the cheapest one with a date, the cheapest first; none when none has."""
    best = cheapest_dated(found)
    if best is None or not best.is_dated:
        return []
    return list(itertools.takewhile(lambda one: not one.is_dated, found))


def speed_of(one: RankedOffer, shape: ModelShape, precision: str, workload: Workload) -> float | None:
    """Estimated tokens/s of the offer's replica at a workload's lengths; None when the model does not fit them."""
    found = replica_estimates(
        shape, one.offer.gpu_model, one.offer.gpu_form, one.fleet.machine.gpu_count, precision, workload.input_tokens,
        workload.output_tokens,
    )  # fmt: skip
    same = [each for each in found if each.gpus_per_replica == one.estimate.gpus_per_replica]
    return same[0].output_tokens_per_s if same else None
