"""Which offer serves a model the cheapest per useful token? Every offer as a machine, ranked by its fleet's cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.costs.gpu_specs import offered_spec
from core.costs.gpus import GpuOffer
from core.costs.model_shapes import ModelShape, model_shape
from core.costs.selfhost import Columns, Fleet, Machine, Operations, fleets_for, total_usd
from core.costs.selfhost_terms import SpotAloneError, prices_of
from core.costs.throughput import ModelDoesNotFitError, ThroughputEstimate, estimate_throughput
from core.workload import Workload

Sibling = tuple[str, str, str, str | None, int, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedOffer:
    """An offer, the speed of one replica on it, the fleet of it that the workload needs, and how it is bought."""

    offer: GpuOffer
    estimate: ThroughputEstimate
    fleet: Fleet
    operations: Operations


@dataclass(frozen=True, slots=True, kw_only=True)
class _Priced:
    """An offer with what its machine costs each way (USD per hour), and the replicas that fit on one machine."""

    offer: GpuOffer
    on_demand_usd: float
    reserved_usd: float | None
    spot_usd: float | None
    replicas: tuple[ThroughputEstimate, ...]


@lru_cache(maxsize=10_000)
def replica_estimates(
    shape: ModelShape,
    gpu_model: str,
    gpu_form: str | None,
    gpu_count: int,
    precision: str,
    input_tokens: float,
    output_tokens: float,
) -> tuple[ThroughputEstimate, ...]:
    """Speed of one replica on 1, 2, 4, 8 ... and all `gpu_count` GPUs, as far as the model fits; remembered.

    Empty when the GPU has no spec. A form that is not said counts as the slowest. Output of 0 counts as one token.
    """
    spec = offered_spec(gpu_model, gpu_form)
    if spec is None:
        return ()
    found = []
    for gpus in sorted({2**power for power in range(gpu_count.bit_length())} | {gpu_count}):
        try:
            found.append(
                estimate_throughput(
                    shape, spec, gpu_count=gpus, gpus_per_replica=gpus, precision=precision, input_tokens=input_tokens,
                    output_tokens=max(1, output_tokens),
                )
            )  # fmt: skip
        except ModelDoesNotFitError:
            continue
    return tuple(found)


def operations_of(offer: GpuOffer, operations: Operations) -> Operations:
    """How an offer is bought: a spot or reserved one as such throughout, one on demand in the mix that was asked for.

    SpotAloneError for spot without a spare replica.
    """
    if offer.purchase_option == "on_demand":
        return operations
    is_spot = offer.purchase_option == "spot"
    return replace(operations, reserved_share=0.0 if is_spot else 1.0, spot_share=1.0 if is_spot else 0.0)


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
) -> list[RankedOffer]:
    """Offers that can serve the model, the cheapest per useful token first, each with the replicas that cost least.

    With `today`, offers that may not be called the cheapest (not sold there, older than 90 days) are left out and
    undated ones come after dated ones. A replica that needs more GPUs than one machine has is left out: it would need
    a fast network between machines that offers do not state. `siblings` are reserved and spot offers whose prices the
    machines on demand have in a purchase mix, where provider, instance type and region are the same.

    Spot offers need a spare replica: without one they are left out. SpotAloneError when there are no others.
    """
    shape = model if isinstance(model, ModelShape) else model_shape(model)
    usable = _usable(offers, operations, today)
    prices = _cheapest(siblings) if operations.reserved_share or operations.spot_share else {}
    ranked = []
    for option in ("on_demand", "spot", "reserved"):
        found = []
        for offer in usable:
            if offer.purchase_option == option:
                replicas = replica_estimates(
                    shape, offer.gpu_model, offer.gpu_form, offer.gpu_count, precision, workload.input_tokens,
                    workload.output_tokens,
                )  # fmt: skip
                if replicas:
                    found.append(_priced(offer, replicas, prices))
        if found:
            ranked += _with_best_replicas(found, workload, operations_of(found[0].offer, operations))
    return sorted(ranked, key=lambda one: (today is not None and one.offer.as_of is None, one.fleet.usd_per_mtok))


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


def _priced(offer: GpuOffer, replicas: tuple[ThroughputEstimate, ...], prices: dict[Sibling, float]) -> _Priced:
    usd = offer.micro_usd_per_hour / 1e6
    reserved = prices.get(_sibling(offer, "reserved")) if prices else None
    spot = prices.get(_sibling(offer, "spot")) if prices else None
    if offer.purchase_option == "reserved":
        reserved = usd
    elif offer.purchase_option == "spot":
        spot = usd
    return _Priced(offer=offer, on_demand_usd=usd, reserved_usd=reserved, spot_usd=spot, replicas=replicas)


def _with_best_replicas(found: Sequence[_Priced], workload: Workload, operations: Operations) -> list[RankedOffer]:
    """Each offer with the size of replica whose fleet costs least (of equal ones the fastest per GPU)."""
    many = np.array([len(one.replicas) for one in found])
    owner = np.repeat(np.arange(len(found)), many)
    usd_per_hour = [(one.on_demand_usd, one.reserved_usd, one.spot_usd) for one in found]
    prices = prices_of([usd_per_hour[place] for place in owner.tolist()], operations)
    gpus = np.array([one.offer.gpu_count for one in found], dtype=np.float64)[owner]
    speeds = np.array([(each.output_tokens_per_s, each.gpus_per_replica) for one in found for each in one.replicas])
    columns = Columns(
        tokens_per_s_per_replica=speeds[:, 0],
        machines_per_replica=1 / (gpus // speeds[:, 1]),
        gpus=gpus,
        gpus_per_replica=speeds[:, 1],
        prices=prices,
    )
    usd = total_usd(columns, workload, operations, np.full(len(owner), float(workload.requests_per_month)))
    # Of fleets that cost the same, the one with the most to spare.
    spare = speeds[:, 0] / speeds[:, 1]
    order = np.lexsort((-spare, usd.round(6), owner))
    best = [one.replicas[place] for one, place in zip(found, _first_places(order, many), strict=True)]
    chosen = [
        machine_of(one.offer, each, reserved_usd_per_hour=one.reserved_usd, spot_usd_per_hour=one.spot_usd)
        for one, each in zip(found, best, strict=True)
    ]
    fleets = fleets_for(chosen, workload, operations)
    return [
        RankedOffer(offer=one.offer, estimate=each, fleet=fleet, operations=operations)
        for one, each, fleet in zip(found, best, fleets, strict=True)
    ]


def _first_places(order: NDArray[np.intp], many: NDArray[np.intp]) -> list[int]:
    """Of rows sorted by their owner: which of its own rows each owner has first."""
    starts = np.cumsum(many) - many
    places: list[int] = (order[starts] - starts).tolist()
    return places


def speed_of(one: RankedOffer, shape: ModelShape, precision: str, workload: Workload) -> float | None:
    """Estimated tokens/s of the offer's replica at a workload's lengths; None when the model does not fit them."""
    found = replica_estimates(
        shape, one.offer.gpu_model, one.offer.gpu_form, one.offer.gpu_count, precision, workload.input_tokens,
        workload.output_tokens,
    )  # fmt: skip
    same = [each for each in found if each.gpus_per_replica == one.estimate.gpus_per_replica]
    return same[0].output_tokens_per_s if same else None
