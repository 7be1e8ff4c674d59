"""Which machines serve an open model the cheapest, run as the reader says on "rent or call", and what do they cost?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from core.costs.conventions import Floats
from core.costs.gpu_sellers import machine_sizes, most_gpus
from core.costs.gpu_specs import gpu_specs
from core.costs.gpus import GpuOffer
from core.costs.model_shapes import ModelShape, model_shapes
from core.costs.monthly import FleetWay
from core.costs.selfhost import columns_of, monthly_cost_usd, monthly_lines_usd, total_usd
from core.costs.selfhost_options import FleetOptions, fleet_options
from core.costs.selfhost_ranking import Ranking, cheapest_dated, ranked
from core.costs.selfhost_replicas import OwnSpeed, gpus_to_hold
from core.costs.throughput_precision import can_serve
from core.workload import Workload
from pages.parts.fleet_inputs import Choices
from pages.parts.offer_words import country_text
from pages.parts.state import catalog, fmt, prices_version, today, tr

# What a model that fits no machine is measured against: GPUs that most sellers have, from small to large.
USUAL_GPUS = ("H100-80GB", "H200", "B200")
KEPT_OPTIONS = 16


def offers_for(choices: Choices) -> list[GpuOffer]:
    """The offers of the chosen kind: country, purchase option, GPU."""
    found = catalog().gpu_offers(country=choices.country, purchase_option=choices.purchase_option)
    wanted = frozenset(choices.gpu_models)
    return [one for one in found if one.gpu_model in wanted] if wanted else found


def options_for(
    choices: Choices, workload: Workload, offers: Sequence[GpuOffer] | None = None, *, own: OwnSpeed | None = None
) -> FleetOptions:
    """The offers (by default those of the chosen kind) with every size of replica that holds the model.

    SpotAloneError for spot offers alone without a spare replica.
    """
    if offers is not None:
        return _options(choices, workload, offers, own, today())
    # What another API, wish or measurement changes stands elsewhere; so does how many requests come.
    plain = replace(choices, api_model=None, measured_tokens_per_s=None, measured_gpu=None, measured_gpus=None)
    lengths = Workload(input_tokens=workload.input_tokens, output_tokens=workload.output_tokens)
    return _kept_options(prices_version(), today(), plain, lengths, own)


@lru_cache(maxsize=KEPT_OPTIONS)
def _kept_options(
    _prices: tuple[object, ...], day: dt.date, choices: Choices, lengths: Workload, own: OwnSpeed | None
) -> FleetOptions:
    """The options of offers of the chosen kind, which stay the same while a reader moves most inputs."""
    return _options(choices, lengths, offers_for(choices), own, day)


def _options(
    choices: Choices, workload: Workload, offers: Sequence[GpuOffer], own: OwnSpeed | None, day: dt.date
) -> FleetOptions:
    mixed = choices.operations.reserved_share + choices.operations.spot_share > 0
    return fleet_options(
        offers, choices.model_id, workload, choices.operations, precision=choices.precision, today=day,
        siblings=catalog().gpu_offers(country=choices.country) if mixed else (), own=own,
        sizes=catalog().of_offers(machine_sizes),
    )  # fmt: skip


def own_speed(choices: Choices, workload: Workload) -> OwnSpeed | None:
    """The reader's measurement, of the GPU and size it is said to be of, else of the cheapest fleet by estimate."""
    if choices.measured_tokens_per_s is None:
        return None
    gpu_model, gpus = choices.measured_gpu, choices.measured_gpus
    if gpu_model is None or gpus is None:
        found = ranked(options_for(choices, workload), workload)
        best = cheapest_dated([one for one in found if gpu_model in (None, one.offer.gpu_model)])
        if best is not None:
            gpu_model, gpus = best.offer.gpu_model, gpus or best.estimate.gpus_per_replica
    if gpu_model is None:
        return None
    return OwnSpeed(gpu_model=gpu_model, gpus_per_replica=gpus or 1, tokens_per_s=choices.measured_tokens_per_s)


def ranked_for(choices: Choices, workload: Workload, offers: Sequence[GpuOffer] | None = None) -> Ranking:
    """The offers that hold the model, the cheapest per useful token first; by default those of the chosen kind.

    SpotAloneError for spot offers alone without a spare replica.
    """
    return ranked(options_for(choices, workload, offers, own=own_speed(choices, workload)), workload)


def cheapest_way(choices: Choices, workload: Workload) -> FleetWay | None:
    """The fleet that is cheapest in the first month, billed for every volume; None when no offer holds the model.

    Of prices, those with a date count (`cheapest_dated`). Its speed varies within the band of the estimate.
    """
    best = cheapest_dated(ranked_for(choices, workload))
    if best is None:
        return None
    machine, estimate = best.fleet.machine, best.estimate
    # The simulation's requests already hold the retries.
    plain, operations = replace(workload, retry_share=0.0), best.operations
    columns = columns_of([machine], operations)

    def cost(requests: Floats) -> Floats:
        return monthly_cost_usd(machine, plain, operations, requests)

    def lines(requests: Floats) -> Mapping[str, Floats]:
        return monthly_lines_usd(machine, plain, operations, requests)

    def at_speed(requests: Floats, speed: Floats) -> Floats:
        return total_usd(columns.times(speed=speed), plain, operations, requests)

    offer, model = best.offer, model_shapes()[choices.model_id].name
    return FleetWay(
        name=tr("self_host.way_name", model=model, count=fmt().number(best.fleet.gpu_count), gpu=offer.gpu_model),
        monthly_cost_usd=cost,
        monthly_lines_usd=lines,
        sources=((offer.source, offer.as_of),),
        cost_at_speed_usd=at_speed,
        speed_band=(estimate.low / estimate.output_tokens_per_s, estimate.high / estimate.output_tokens_per_s),
    )


def why_none(choices: Choices, workload: Workload) -> str:
    """Why no offer serves the model, in one sentence that names the input to change and what would hold the model."""
    shape = model_shapes()[choices.model_id]
    usable = [one for one in offers_for(choices) if one.may_rank(today())]
    names = {
        "model": shape.name, "precision": choices.precision.upper(),
        "purchase": tr(f"self_host.purchase_{choices.purchase_option}"),
        "place": country_text(choices.country) if choices.country else tr("self_host.anywhere"),
        "gpus": ", ".join(choices.gpu_models),
    }  # fmt: skip
    if not usable:
        return tr("self_host.none_offered_gpu" if choices.gpu_models else "self_host.none_offered", **names)
    specs = [spec for spec in gpu_specs().values() if spec.gpu_model in {one.gpu_model for one in usable}]
    if not any(can_serve(spec, choices.precision) for spec in specs):
        return tr("self_host.none_serves", **names)
    gb = fmt().number(shape.weight_gb(choices.precision))
    sizes = catalog().of_offers(machine_sizes)
    largest = max(usable, key=lambda one: most_gpus(one, sizes) * (one.gpu_memory_gb or 0))
    machine = f"{fmt().number(most_gpus(largest, sizes))} × {largest.gpu_model}"
    return tr("self_host.none_holds", gb=gb, largest=machine, holding=_holding(shape, choices, workload), **names)


def _holding(shape: ModelShape, choices: Choices, workload: Workload) -> str:
    """How many of which GPU in one machine hold the model: those that were asked for, and usual ones."""
    found = []
    for gpu_model in dict.fromkeys((*choices.gpu_models, *USUAL_GPUS)):
        count = gpus_to_hold(shape, gpu_model, choices.precision, workload.input_tokens, workload.output_tokens)
        if count is not None:
            found.append(f"{fmt().number(count)} × {gpu_model}")
    return ", ".join(found) or "–"
