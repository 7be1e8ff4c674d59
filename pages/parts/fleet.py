"""Which machines serve an open model the cheapest, run as the reader says on "rent or call", and what do they cost?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.costs.conventions import Floats
from core.costs.gpus import GpuOffer
from core.costs.model_shapes import model_shapes
from core.costs.monthly import FleetWay
from core.costs.selfhost import fleet_for, monthly_cost_usd, monthly_lines_usd
from core.costs.selfhost_ranking import RankedOffer, rank_offers
from core.workload import Workload
from pages.parts.self_host_inputs import Choices
from pages.parts.state import catalog, tr


def ranked_for(choices: Choices, workload: Workload, offers: Sequence[GpuOffer] | None = None) -> list[RankedOffer]:
    """The offers that hold the model, the cheapest per useful token first; by default those of the chosen kind.

    SpotAloneError for spot offers alone without a spare replica.
    """
    mixed = choices.operations.reserved_share + choices.operations.spot_share > 0
    if offers is None:
        offers = catalog().gpu_offers(country=choices.country, purchase_option=choices.purchase_option)
    return rank_offers(
        offers, choices.model_id, workload, choices.operations, precision=choices.precision,
        today=dt.datetime.now(dt.UTC).date(),
        siblings=catalog().gpu_offers(country=choices.country) if mixed else (),
    )  # fmt: skip


def as_run(best: RankedOffer, choices: Choices, workload: Workload) -> RankedOffer:
    """The offer with the reader's own measured speed (per replica) in place of the estimate, where there is one."""
    measured = choices.measured_tokens_per_s
    if measured is None:
        return best
    own: dict[str, Any] = {"output_tokens_per_s": measured, "low": measured, "high": measured}
    estimate = replace(best.estimate, **own, basis="your own measurement", basis_kind="own_measurement")
    machine = replace(best.fleet.machine, tokens_per_s_per_replica=measured)
    return replace(best, estimate=estimate, fleet=fleet_for(machine, workload, best.operations))


def cheapest_way(choices: Choices, workload: Workload) -> FleetWay | None:
    """The fleet that is cheapest in the first month, billed for every volume; None when no offer holds the model."""
    found = ranked_for(choices, workload)
    if not found:
        return None
    best = as_run(found[0], choices, workload)
    machine = best.fleet.machine
    # The simulation's requests already hold the retries.
    plain, operations = replace(workload, retry_share=0.0), best.operations

    def cost(requests: Floats) -> Floats:
        return monthly_cost_usd(machine, plain, operations, requests)

    def lines(requests: Floats) -> Mapping[str, Floats]:
        return monthly_lines_usd(machine, plain, operations, requests)

    offer, model = best.offer, model_shapes()[choices.model_id].name
    return FleetWay(
        name=tr("self_host.way_name", model=model, gpu=offer.gpu_model),
        monthly_cost_usd=cost,
        monthly_lines_usd=lines,
        sources=((offer.source, offer.as_of),),
    )
