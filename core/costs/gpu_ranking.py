"""Which offers match, in which order, and which may be called the cheapest? Pure filters, measures and rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.costs.gpus import GpuOffer, GpuSpec, spec_for

Measure = Literal["gpu_hour", "instance_hour", "memory", "bf16", "fp8", "measured"]
MEASURES: tuple[Measure, ...] = ("gpu_hour", "instance_hour", "memory", "bf16", "fp8", "measured")
DISAGREEMENT_SHARE = 0.02
"""Two sources of one offer copy the same list, so they differ by a rounding or not at all: beyond this one is out of
date or means another machine. (Model prices differ more between sellers: see `tokens_rivals`.)"""

Specs = Mapping[tuple[str, str], GpuSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFilter:
    """What must hold of an offer; an empty collection or None asks nothing.

    `min_memory_gb` is for all GPUs of a machine. `confirmed_only` wants offers seen sold in their region,
    `newest_only` the latest price where sources give the same machine more than once.
    """

    gpu_models: Collection[str] = ()
    vendors: Collection[str] = ()
    gpu_forms: Collection[str] = ()
    providers: Collection[str] = ()
    regions: Collection[str] = ()
    countries: Collection[str] = ()
    purchase_options: Collection[str] = ()
    min_gpu_count: int = 1
    max_gpu_count: int | None = None
    min_memory_gb: float = 0
    confirmed_only: bool = False
    newest_only: bool = False

    def matches(self, offer: GpuOffer) -> bool:
        """Whether an offer is wanted."""
        return (
            _within(offer.gpu_model, self.gpu_models)
            and _within(offer.purchase_option, self.purchase_options)
            and _within(offer.provider_id, self.providers)
            and _within(offer.country, self.countries)
            and _within(offer.region, self.regions)
            and _within(offer.gpu_form, self.gpu_forms)
            and (not self.vendors or vendor_of(offer.gpu_model) in self.vendors)
            and self._fits(offer)
        )

    def _fits(self, offer: GpuOffer) -> bool:
        return (
            offer.gpu_count >= self.min_gpu_count
            and (self.max_gpu_count is None or offer.gpu_count <= self.max_gpu_count)
            and (not self.min_memory_gb or (offer.total_memory_gb or 0) >= self.min_memory_gb)
            and (not self.confirmed_only or offer.region_confirmed == "yes")
        )


def _within(value: str | None, wanted: Collection[str]) -> bool:
    return not wanted or value in wanted


def vendor_of(gpu_model: str) -> str:
    """Maker of a GPU: AMD's datacentre cards are named MI..., Intel's Gaudi and Max; all others here are NVIDIA's."""
    if gpu_model.startswith("MI"):
        return "AMD"
    return "Intel" if gpu_model.startswith(("Gaudi", "Max ")) else "NVIDIA"


def usd_per(offer: GpuOffer, measure: Measure, spec: GpuSpec | None) -> float | None:
    """USD per hour and unit of `measure`: GPU, instance, GB of memory, dense BF16 or FP8, or measured BF16 TFLOP/s.

    None where memory or speed is not known.
    """
    if measure == "instance_hour":
        return offer.micro_usd_per_hour / 1e6
    divisor: float | None = 1.0
    if measure == "memory":
        divisor = offer.gpu_memory_gb
    elif measure != "gpu_hour":
        divisor = _tflops(spec, measure)
    return offer.usd_per_gpu_hour / divisor if divisor else None


def _tflops(spec: GpuSpec | None, measure: Measure) -> float | None:
    if spec is None:
        return None
    if measure == "fp8":
        return spec.fp8_dense_tflops
    return spec.bf16_measured_tflops if measure == "measured" else spec.bf16_dense_tflops


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """An offer with the value it is sorted by (USD per hour and unit, None unknown) and whether it may rank."""

    offer: GpuOffer
    value: float | None
    ranks: bool


def rate(
    offers: Iterable[GpuOffer],
    wanted: OfferFilter,
    *,
    specs: Specs,
    today: dt.date,
    measure: Measure = "gpu_hour",
    with_stale: bool = False,
) -> list[Rated]:
    """The wanted offers in order: those that may rank first, dated before undated, then by value, unknown last.

    Of values that agree in five digits (sellers round what a machine costs) the one with fewer GPUs comes first: nobody
    has to take eight at the price of one.
    """
    found = [one for one in offers if wanted.matches(one)]
    if wanted.newest_only:
        found = newest(found)
    known: dict[tuple[str, str | None], GpuSpec | None] = {}
    rated = []
    for one in found:
        name = (one.gpu_model, one.gpu_form)
        if name not in known:
            known[name] = spec_for(dict(specs), *name)
        value = usd_per(one, measure, known[name])
        ranks = value is not None and one.may_rank(today, with_stale=with_stale)
        rated.append(Rated(offer=one, value=value, ranks=ranks))
    rated.sort(key=_order)
    return rated


def _order(one: Rated) -> tuple[bool, bool, bool, float, int, float]:
    value = one.value or 0.0
    about = float(f"{value:.5g}")
    return (not one.ranks, one.offer.as_of is None, one.value is None, about, one.offer.gpu_count, value)


def cheapest(rated: Sequence[Rated]) -> Rated | None:
    """The first that may rank, None when none may."""
    return rated[0] if rated and rated[0].ranks else None


def newest(offers: Iterable[GpuOffer]) -> list[GpuOffer]:
    """Of offers that differ only in source, price or day, the newest one, in the order of their first.

    The same are provider, GPU, form, count, region, purchase option and commitment. An undated offer stays only where
    nothing is dated; of equal days the first given.
    """
    found: dict[tuple[object, ...], GpuOffer] = {}
    for one in offers:
        key = (_compared(one), one.region, one.gpu_form)
        held = found.get(key)
        if held is None or (one.as_of or dt.date.min) > (held.as_of or dt.date.min):
            found[key] = one
    return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Prices of the same thing in two or more sources, cheapest first; `share` is how much dearer the dearest is."""

    offers: tuple[GpuOffer, ...]
    share: float


def disagreements(offers: Iterable[GpuOffer], share: float = DISAGREEMENT_SHARE) -> list[Disagreement]:
    """What sources price differently by more than `share` (0.02 is 2 %), largest first.

    Compared is the price of an instance-hour where provider, GPU, form, count, country, purchase option and commitment
    agree. Each source speaks with its cheapest row.
    """
    groups: dict[tuple[object, ...], dict[str, GpuOffer]] = {}
    for one in offers:
        by_source = groups.setdefault((*_compared(one), one.gpu_form, one.country), {})
        held = by_source.get(one.source)
        if held is None or one.micro_usd_per_hour < held.micro_usd_per_hour:
            by_source[one.source] = one
    found = []
    for by_source in groups.values():
        ordered = tuple(sorted(by_source.values(), key=lambda one: one.micro_usd_per_hour))
        spread = ordered[-1].micro_usd_per_hour / ordered[0].micro_usd_per_hour - 1
        if spread > share:
            found.append(Disagreement(offers=ordered, share=spread))
    return sorted(found, key=lambda one: -one.share)


def _compared(offer: GpuOffer) -> tuple[object, ...]:
    """What two sources must have in common for their prices to be about the same thing."""
    return (offer.provider_id, offer.gpu_model, offer.gpu_count, offer.purchase_option, offer.commitment_months)
