"""What is an offer of a GPU, what can that GPU do, and may the offer be called the cheapest?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.money import usd_from_micro

PurchaseOption = Literal["on_demand", "spot", "reserved"]
RegionConfirmed = Literal["yes", "no", "list", "unknown"]
Layer = Literal["facts", "feed", "user"]

PURCHASE_OPTIONS: tuple[PurchaseOption, ...] = ("on_demand", "spot", "reserved")
CHEAPEST_PER_GPU = "cheapest"
PER_GPU_TYPES = (CHEAPEST_PER_GPU, "list")
"""What stands before the colon in the type of an offer whose source gives a price per GPU and no machine."""

USUAL_MACHINE_GPUS = 8
"""GPUs of the largest machine that most sellers have: as many may be taken at a price per GPU of an unstated machine,
and as many work on one model without a fabric such as NVLink."""

USABLE_MEMORY_SHARE = 0.9
"""Engines hand out about nine tenths of a GPU's memory: the rest is for activations, the runtime and fragmentation."""

STALE_AFTER_DAYS = 90
"""An older price may have been true then: it is shown with its age, and not called the cheapest unasked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuOffer:
    """One thing one can rent: provider, instance type, region, purchase option, price and dates.

    `micro_usd_per_hour` is for the whole instance with all its GPUs; `gpu_memory_gb` is per GPU as sold, None when
    the seller does not say.
    `region_confirmed`: "yes" seen sold there, "no" priced but not sold there, "list" a list price without a region,
    "unknown" not checked. `as_of` None means undated; `as_of_note` then says what is known.
    """

    provider_id: str
    instance_type: str
    gpu_model: str
    gpu_form: str | None
    gpu_count: int
    gpu_memory_gb: float | None
    region: str | None
    country: str | None
    purchase_option: PurchaseOption
    commitment_months: int
    micro_usd_per_hour: int
    as_of: dt.date | None
    as_of_note: str
    region_confirmed: RegionConfirmed
    basis: str
    source: str
    licence: str
    layer: Layer = "facts"

    @property
    def usd_per_hour(self) -> Decimal:
        """USD per hour of the whole instance."""
        return usd_from_micro(self.micro_usd_per_hour)

    @property
    def usd_per_gpu_hour(self) -> float:
        """USD per hour of one of its GPUs."""
        return self.micro_usd_per_hour / self.gpu_count / 1e6

    @property
    def is_per_gpu(self) -> bool:
        """Whether the price is per GPU of a machine of unstated size, so that more may be taken at it
        (`gpu_sellers.most_gpus`); one is what the source names, not what it sells."""
        return self.gpu_count == 1 and self.instance_type.partition(":")[0] in PER_GPU_TYPES

    @property
    def total_memory_gb(self) -> float | None:
        """Memory of all its GPUs, None when the seller does not say."""
        return None if self.gpu_memory_gb is None else self.gpu_memory_gb * self.gpu_count

    @property
    def key(self) -> tuple[str, str, str, str, str, int, str]:
        """What makes it the same offer at another time or in another source's words."""
        return (
            self.provider_id,
            self.instance_type,
            self.gpu_model,
            self.region or "",
            self.purchase_option,
            self.commitment_months,
            self.source,
        )

    def age_days(self, today: dt.date) -> int | None:
        """Days since the price was seen, None when undated."""
        return None if self.as_of is None else (today - self.as_of).days

    def may_rank(self, today: dt.date, *, with_stale: bool = False, with_undated: bool = True) -> bool:
        """Whether it may be called the cheapest: sold where it says, and no older than `STALE_AFTER_DAYS`."""
        if self.region_confirmed == "no":
            return False
        age = self.age_days(today)
        return with_undated if age is None else with_stale or age <= STALE_AFTER_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSpec:
    """What a GPU can do: memory (GB), bandwidth (GB/s), dense TFLOP/s without sparsity, measured TFLOP/s where known.

    `confidence`: A from the vendor or a measurement, B from a good secondary source, C to be verified.
    """

    gpu_model: str
    gpu_form: str
    vendor: str
    architecture: str
    memory_gb: float
    bandwidth_gb_per_s: float
    bf16_dense_tflops: float | None
    fp16_dense_tflops: float | None
    fp8_dense_tflops: float | None
    fp4_dense_tflops: float | None
    int8_dense_tops: float | None
    tdp_w: float | None
    interconnect: str
    interconnect_gb_per_s: float | None
    bf16_measured_tflops: float | None
    fp8_measured_tflops: float | None
    year: int | None
    confidence: str
    source: str
    note: str


FORMS = ("SXM", "PCIe", "NVL", "OAM", "Server")


def plain_form(gpu_form: str) -> str:
    """A form as the specs write it, in any case, without a generation (SXM5 is SXM); an unknown one as it is."""
    name = "".join(char for char in gpu_form.lower() if char.isalpha())
    return next((form for form in FORMS if form.lower() == name), gpu_form)


def spec_for(specs: dict[tuple[str, str], GpuSpec], gpu_model: str, gpu_form: str | None) -> GpuSpec | None:
    """The spec of a model in a form; the slowest known when the seller does not say the form (never guessed up)."""
    if gpu_form and (gpu_model, plain_form(gpu_form)) in specs:
        return specs[gpu_model, plain_form(gpu_form)]
    known = [spec for (model, _), spec in specs.items() if model == gpu_model]
    return min(known, key=lambda spec: spec.bf16_dense_tflops or spec.fp16_dense_tflops or 0) if known else None
