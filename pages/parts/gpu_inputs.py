"""What does the reader of "GPU clouds" ask for? Filters, running hours and what must fit, all kept in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from core.costs.gpu_bills import RentalPlan
from core.costs.gpu_memory import PRECISIONS, MemoryNeed
from core.costs.gpu_places import NEAR_KOREA
from core.costs.gpu_ranking import MEASURES, Measure, OfferFilter, vendor_of
from core.costs.gpus import PURCHASE_OPTIONS, GpuOffer
from core.workload import Problem
from pages.parts import address
from pages.parts.state import tr

DEFAULT_GPU = "H100-80GB"
ALL = ""
OFFER = "gc_offer"
MODES = ("always", "schedule", "utilization")
VIEWS = ("provider", "performance", "fits", "tokens")
# Name, default, limits: the numbers of the bill and of what must fit.
NUMBERS: Mapping[str, tuple[float | None, float, float]] = {
    "hours": (10.0, 0, 24), "days": (5.0, 0, 7), "util": (50.0, 0, 100), "storage": (100.0, 0, 1e6),
    "egress": (100.0, 0, 1e6), "storage_price": (None, 0, 100), "egress_price": (None, 0, 100), "tax": (0.0, 0, 100),
    "params": (70.0, 0.1, 10_000), "rtt": (None, 0, 5_000),
}  # fmt: skip
COUNTS: Mapping[str, tuple[int, int, int]] = {
    "count_min": (1, 1, 128), "count_max": (128, 1, 128), "memory_min": (0, 0, 100_000), "machines": (1, 1, 10_000),
    "context": (8_192, 1, 10_000_000), "sequences": (1, 1, 10_000),
}  # fmt: skip
FLAGS = ("korea", "confirmed", "newest", "stale")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the filters offer: the values that occur in the offers."""

    gpus: Sequence[str]
    vendors: Sequence[str]
    forms: Sequence[str]
    providers: Sequence[str]
    regions: Sequence[str]
    countries: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the reader chose; `fit_filter` is the filter without the GPU, for what must fit and for the scatter.

    `offer` is the reference of the row that is looked at, empty for the first.
    """

    wanted: OfferFilter
    fit_filter: OfferFilter
    measure: Measure
    with_stale: bool
    plan: RentalPlan
    need: MemoryNeed
    view: str
    offer: str
    own_rtt_ms: float | None


def options_of(offers: Sequence[GpuOffer]) -> Options:
    """The values of each filter, sorted."""
    models = sorted({one.gpu_model for one in offers})
    return Options(
        gpus=models,
        vendors=sorted({vendor_of(model) for model in models}),
        forms=sorted({one.gpu_form for one in offers if one.gpu_form}),
        providers=sorted({one.provider_id for one in offers}),
        regions=sorted({one.region for one in offers if one.region}),
        countries=sorted({one.country for one in offers if one.country}),
    )


def read(options: Options) -> tuple[Choices, list[Problem]]:
    """The reader's choices from address and widgets, and what had to be corrected."""
    lists = {
        "gpus": options.gpus, "vendor": options.vendors, "form": options.forms, "provider": options.providers,
        "region": options.regions, "country": options.countries, "option": PURCHASE_OPTIONS,
    }  # fmt: skip
    defaults: dict[str, list[str]] = {"option": ["on_demand"]}
    fields = [
        address.Field(key=f"gc_{name}", kind="choices", default=defaults.get(name, []), options=tuple(values))
        for name, values in lists.items()
    ]
    fields += _choice_fields(options)
    fields.append(address.Field(key=OFFER, kind="text", default=""))
    fields += [
        address.Field(key=f"gc_{name}", kind="float", default=default, low=low, high=high)
        for name, (default, low, high) in NUMBERS.items()
    ]
    fields += [
        address.Field(key=f"gc_{name}", kind="int", default=default, low=low, high=high)
        for name, (default, low, high) in COUNTS.items()
    ]
    fields += [address.Field(key=f"gc_{name}", kind="flag", default=False) for name in FLAGS]
    values, problems = address.bind(fields)
    return _choices({key.removeprefix("gc_"): value for key, value in values.items()}), problems


def _choice_fields(options: Options) -> list[address.Field]:
    gpu = DEFAULT_GPU if DEFAULT_GPU in options.gpus else ALL
    return [
        address.Field(key="gc_gpu", kind="choice", default=gpu, options=(ALL, *options.gpus), named=gpu_name),
        address.Field(key="gc_precision", kind="choice", default="fp8", options=PRECISIONS, named=str.upper),
        *(
            address.Field(
                key=f"gc_{name}", kind="choice", default=values[0], options=values, named=partial(named, name)
            )
            for name, values in {"sort": MEASURES, "mode": MODES, "view": VIEWS}.items()
        ),
    ]


def named(field: str, choice: str) -> str:
    """A choice of a field in the reader's language."""
    return tr(f"gpu_clouds.{field}_{choice}")


def gpu_name(gpu: str) -> str:
    """A GPU of the filter; all of them where none is chosen."""
    return gpu or tr("gpu_clouds.all")


def _choices(value: Mapping[str, Any]) -> Choices:
    countries = [*value["country"], *NEAR_KOREA] if value["korea"] else value["country"]
    common: dict[str, Any] = {
        "vendors": frozenset(value["vendor"]),
        "gpu_forms": frozenset(value["form"]),
        "providers": frozenset(value["provider"]),
        "regions": frozenset(value["region"]),
        "countries": frozenset(countries),
        "purchase_options": frozenset(value["option"]),
        "confirmed_only": bool(value["confirmed"]),
        "newest_only": bool(value["newest"]),
    }
    low, high = sorted((_number(value, "count_min"), _number(value, "count_max")))
    shape: dict[str, Any] = {
        "min_gpu_count": int(low),
        "max_gpu_count": int(high),
        "min_memory_gb": _number(value, "memory_min"),
    }
    return Choices(
        wanted=OfferFilter(gpu_models=frozenset(filter(None, [value["gpu"], *value["gpus"]])), **common, **shape),
        fit_filter=OfferFilter(**common),
        measure=cast(Measure, value["sort"] or "gpu_hour"),
        with_stale=bool(value["stale"]),
        plan=_plan(value),
        need=MemoryNeed(
            parameters_billions=_number(value, "params"),
            precision=value["precision"] or "fp8",
            context_tokens=int(_number(value, "context")),
            sequence_count=int(_number(value, "sequences")),
        ),
        view=value["view"] or VIEWS[0],
        offer=value["offer"],
        own_rtt_ms=value["rtt"],
    )


def _plan(value: Mapping[str, Any]) -> RentalPlan:
    return RentalPlan(
        mode=value["mode"] or "always",
        hours_per_day=_number(value, "hours"),
        days_per_week=_number(value, "days"),
        utilization=_number(value, "util") / 100,
        machine_count=int(_number(value, "machines")),
        storage_gb=_number(value, "storage"),
        storage_usd_per_gb_month=value["storage_price"],
        egress_gb=_number(value, "egress"),
        egress_usd_per_gb=value["egress_price"],
        tax_share=_number(value, "tax") / 100,
    )


def _number(value: Mapping[str, Any], name: str) -> float:
    """A field the reader emptied counts as its default."""
    default = NUMBERS[name][0] if name in NUMBERS else COUNTS[name][0]
    return float(value[name] if value[name] is not None else default or 0)


def labels() -> dict[str, str]:
    """The name of each field, for the sentence about one that was corrected."""
    names = [
        "gpu", "gpus", "vendor", "form", "provider", "region", "country", "option", "sort", "mode", "view", "precision",
        *NUMBERS, *COUNTS, *FLAGS,
    ]  # fmt: skip
    return {f"gc_{name}": tr(f"gpu_clouds.field_{name}") for name in names}


def option_name(option: str) -> str:
    """A purchase option in the reader's language."""
    return tr(f"gpu_clouds.option_{option}")
