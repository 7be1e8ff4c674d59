"""Which offer serves a model the cheapest per useful token? Every offer as a machine, ranked by its fleet's cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from core.costs.gpu_specs import UnknownGpuError
from core.costs.gpus import GpuOffer
from core.costs.model_shapes import ModelShape, model_shape
from core.costs.selfhost import Fleet, Machine, Operations, fleets_for
from core.costs.throughput import ModelDoesNotFitError, ThroughputEstimate, estimate_throughput
from core.workload import Workload

MAX_GPUS_PER_REPLICA = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedOffer:
    """An offer, the speed of one replica on it, and the fleet of it that the workload needs."""

    offer: GpuOffer
    estimate: ThroughputEstimate
    fleet: Fleet


def replica_estimate(
    shape: ModelShape, offer: GpuOffer, workload: Workload, precision: str
) -> ThroughputEstimate | None:
    """Speed of one replica on an offer's GPUs; None when the GPU has no spec or would need too many of them."""
    return _smallest(
        shape, offer.gpu_model, offer.gpu_form, precision, workload.input_tokens, max(1, workload.output_tokens)
    )


@lru_cache(maxsize=10_000)
def _smallest(
    shape: ModelShape, gpu_model: str, gpu_form: str | None, precision: str, input_tokens: int, output_tokens: int
) -> ThroughputEstimate | None:
    """As `estimate_throughput` for the smallest replica that fits; remembered, for many offers share a GPU."""
    gpus = 1
    while gpus <= MAX_GPUS_PER_REPLICA:
        try:
            return estimate_throughput(
                shape, gpu_model, gpu_form=gpu_form, gpu_count=gpus, gpus_per_replica=gpus, precision=precision,
                input_tokens=input_tokens, output_tokens=output_tokens,
            )  # fmt: skip
        except ModelDoesNotFitError:
            gpus *= 2
        except UnknownGpuError:
            return None
    return None


def machine_of(offer: GpuOffer, estimate: ThroughputEstimate) -> Machine:
    """An offer as a machine at its own price."""
    return Machine(
        name=f"{offer.provider_id} {offer.instance_type}",
        gpu_model=offer.gpu_model,
        gpu_count=offer.gpu_count,
        on_demand_usd_per_hour=float(offer.usd_per_hour),
        gpus_per_replica=estimate.gpus_per_replica,
        tokens_per_s_per_replica=estimate.output_tokens_per_s,
    )


def rank_offers(
    offers: Iterable[GpuOffer],
    model: str | ModelShape,
    workload: Workload,
    operations: Operations,
    *,
    precision: str = "fp8",
    today: dt.date | None = None,
) -> list[RankedOffer]:
    """Offers that can serve the model, the cheapest per useful token first.

    With `today`, offers that may not be called the cheapest (not sold there, older than 90 days) are left out and
    undated ones come after dated ones. A replica that needs more GPUs than one machine has is left out: it would need
    a fast network between machines that offers do not state.
    """
    shape = model if isinstance(model, ModelShape) else model_shape(model)
    found = []
    for offer in offers:
        if today is not None and not offer.may_rank(today):
            continue
        estimate = replica_estimate(shape, offer, workload, precision)
        if estimate is None or estimate.gpus_per_replica > offer.gpu_count:
            continue
        found.append((offer, estimate))
    fleets = fleets_for([machine_of(*one) for one in found], workload, operations)
    ranked = [
        RankedOffer(offer=offer, estimate=estimate, fleet=fleet)
        for (offer, estimate), fleet in zip(found, fleets, strict=True)
    ]
    return sorted(ranked, key=lambda one: (today is not None and one.offer.as_of is None, one.fleet.usd_per_mtok))
