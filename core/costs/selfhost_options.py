"""In which ways can offers serve a model? Each offer with each size of replica that fits its machine, as columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.costs.conventions import Floats
from core.costs.gpu_sellers import MachineSizes, machine_sizes, most_gpus
from core.costs.gpus import GpuOffer
from core.costs.model_shapes import ModelShape, model_shape
from core.costs.selfhost import Columns, Machine, Operations
from core.costs.selfhost_replicas import OwnSpeed, measured_replica, replica_estimates
from core.costs.selfhost_terms import Prices, SpotAloneError, prices_of
from core.costs.throughput import ThroughputEstimate
from core.workload import Workload

Sibling = tuple[str, str, str, str | None, int, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOptions:
    """Every offer with every size of replica: `columns` to compute with, and what each column is.

    `owners` are places in `offers`; `usd_per_hour` the prices of one machine on demand, reserved and on spot.
    `operations` is how offers of each purchase option are run; in all but the shares bought they are the same.
    """

    offers: tuple[GpuOffer, ...]
    owners: NDArray[np.intp]
    estimates: tuple[ThroughputEstimate, ...]
    usd_per_hour: tuple[tuple[float, float | None, float | None], ...]
    columns: Columns
    operations: Operations

    def offer(self, place: int) -> GpuOffer:
        """The offer of a column."""
        return self.offers[int(self.owners[place])]

    def machine(self, place: int) -> Machine:
        """A column as a machine."""
        offer, estimate, usd = self.offer(place), self.estimates[place], self.usd_per_hour[place]
        return Machine(
            name=f"{offer.provider_id} {offer.instance_type}",
            gpu_model=offer.gpu_model,
            gpu_count=int(self.columns.gpus[place]),
            on_demand_usd_per_hour=usd[0],
            gpus_per_replica=estimate.gpus_per_replica,
            tokens_per_s_per_replica=estimate.output_tokens_per_s,
            reserved_usd_per_hour=usd[1],
            spot_usd_per_hour=usd[2],
        )

    def places_of(self, offers: Iterable[GpuOffer]) -> NDArray[np.intp]:
        """Places of the columns of some of the offers."""
        wanted = {id(one) for one in offers}
        return np.flatnonzero(np.array([id(one) in wanted for one in self.offers], dtype=bool)[self.owners])

    def speed_factors(self, end: str) -> Floats:
        """The `low` or `high` end of each column's band of speed, as a factor of the speed."""
        return np.array([getattr(one, end) / one.output_tokens_per_s for one in self.estimates])


def operations_of(offer: GpuOffer, operations: Operations) -> Operations:
    """How an offer is bought: a spot or reserved one as such throughout, one on demand in the mix that was asked for.

    SpotAloneError for spot without a spare replica.
    """
    if offer.purchase_option == "on_demand":
        return operations
    is_spot = offer.purchase_option == "spot"
    return replace(operations, reserved_share=0.0 if is_spot else 1.0, spot_share=1.0 if is_spot else 0.0)


def fleet_options(
    offers: Iterable[GpuOffer],
    model: str | ModelShape,
    workload: Workload,
    operations: Operations,
    *,
    precision: str = "fp8",
    today: dt.date | None = None,
    siblings: Iterable[GpuOffer] = (),
    own: OwnSpeed | None = None,
    sizes: MachineSizes | None = None,
) -> FleetOptions:
    """The offers that can serve the model, with every size of replica.

    With `today`, offers that may not be called the cheapest (not sold there, older than `STALE_AFTER_DAYS`) are left
    out. A replica stays within one machine (`largest_replica`); at a price per GPU the machine is as large as the
    replica, up to what `gpu_sellers.most_gpus` allows with `sizes` (None: those that the offers themselves state).
    `siblings` are reserved and spot offers whose prices the machines on demand have in a purchase mix, where provider,
    instance type and region are the same and the price may rank too. `own` replaces the estimates of its GPU, which
    then runs replicas of the size that was measured alone.

    Spot offers need a spare replica: without one they are left out. SpotAloneError when there are no others.
    """
    shape = model if isinstance(model, ModelShape) else model_shape(model)
    offers = list(offers)
    sizes = machine_sizes(offers) if sizes is None else sizes
    is_mixed = operations.reserved_share or operations.spot_share
    prices = _cheapest(one for one in siblings if today is None or one.may_rank(today)) if is_mixed else {}
    held: list[GpuOffer] = []
    rows: list[tuple[int, int, ThroughputEstimate]] = []
    for offer in _usable(offers, operations, today):
        found = _replicas(offer, shape, workload, precision, most_gpus(offer, sizes), own)
        if found:
            rows += [
                (len(held), each.gpus_per_replica if offer.is_per_gpu else offer.gpu_count, each) for each in found
            ]
            held.append(offer)
    return _options(held, rows, prices, operations)


def _replicas(
    offer: GpuOffer, shape: ModelShape, workload: Workload, precision: str, most: int, own: OwnSpeed | None
) -> tuple[ThroughputEstimate, ...]:
    """Sizes of replica on a machine of the offer, which has up to `most` GPUs."""
    if own is not None and own.gpu_model == offer.gpu_model:
        return measured_replica(own, most)
    return replica_estimates(
        shape, offer.gpu_model, offer.gpu_form, most, precision, workload.input_tokens, workload.output_tokens
    )


def _options(
    held: list[GpuOffer],
    rows: list[tuple[int, int, ThroughputEstimate]],
    siblings: dict[Sibling, float],
    operations: Operations,
) -> FleetOptions:
    own_prices = [_prices(offer, siblings) for offer in held]
    owners = np.array([owner for owner, _, _ in rows], dtype=np.intp)
    usd = [
        own_prices[owner] if gpus == held[owner].gpu_count else _times(own_prices[owner], gpus)
        for owner, gpus, _ in rows
    ]
    sizes = np.array(
        [(gpus, each.gpus_per_replica, each.output_tokens_per_s) for _, gpus, each in rows], dtype=np.float64
    ).reshape(-1, 3)
    columns = Columns(
        tokens_per_s_per_replica=sizes[:, 2],
        machines_per_replica=1 / (sizes[:, 0] // sizes[:, 1]),
        gpus=sizes[:, 0],
        gpus_per_replica=sizes[:, 1],
        prices=_bought([held[owner].purchase_option for owner, _, _ in rows], usd, operations),
    )
    return FleetOptions(
        offers=tuple(held), owners=owners, estimates=tuple(each for _, _, each in rows), usd_per_hour=tuple(usd),
        columns=columns, operations=operations,
    )  # fmt: skip


def _bought(
    bought: Sequence[str], usd: Sequence[tuple[float, float | None, float | None]], operations: Operations
) -> Prices:
    """What each machine costs as it is bought; machines of each purchase option at once."""
    flexible, reserved, share = (np.zeros(len(usd)) for _ in range(3))
    options = np.array(bought)
    for option in dict.fromkeys(bought):
        places = np.flatnonzero(options == option)
        shares = {"spot": (0.0, 1.0), "reserved": (1.0, 0.0)}.get(option)
        run = replace(operations, reserved_share=shares[0], spot_share=shares[1]) if shares else operations
        found = prices_of([usd[place] for place in places.tolist()], run)
        flexible[places], reserved[places] = found.flexible_usd, found.reserved_usd
        share[places] = found.reserved_share
    return Prices(flexible_usd=flexible, reserved_usd=reserved, reserved_share=share)


def _usable(offers: Iterable[GpuOffer], operations: Operations, today: dt.date | None) -> list[GpuOffer]:
    usable = [one for one in offers if today is None or one.may_rank(today)]
    if operations.redundancy:
        return usable
    others = [one for one in usable if one.purchase_option != "spot"]
    if usable and not others:
        raise SpotAloneError
    return others


def _sibling(offer: GpuOffer, option: str) -> Sibling:
    return offer.provider_id, offer.instance_type, offer.gpu_model, offer.region, offer.gpu_count, option


def _cheapest(siblings: Iterable[GpuOffer]) -> dict[Sibling, float]:
    """The lowest USD per hour of each machine for each purchase option."""
    found: dict[Sibling, float] = {}
    for one in siblings:
        key, usd = _sibling(one, one.purchase_option), one.micro_usd_per_hour / 1e6
        found[key] = min(usd, found.get(key, usd))
    return found


def _prices(offer: GpuOffer, siblings: dict[Sibling, float]) -> tuple[float, float | None, float | None]:
    """USD per hour on demand, reserved and on spot; the price of a spot or reserved offer stands for that on demand."""
    usd = offer.micro_usd_per_hour / 1e6
    reserved = siblings.get(_sibling(offer, "reserved")) if siblings else None
    spot = siblings.get(_sibling(offer, "spot")) if siblings else None
    if offer.purchase_option == "reserved":
        reserved = usd
    elif offer.purchase_option == "spot":
        spot = usd
    return usd, reserved, spot


def _times(usd: tuple[float, float | None, float | None], gpus: int) -> tuple[float, float | None, float | None]:
    one, reserved, spot = usd
    return one * gpus, None if reserved is None else reserved * gpus, None if spot is None else spot * gpus
