"""What does the reader of "GPU clouds" ask for? Filters, running hours and what must fit, all kept in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from core.costs.gpu_bills import RentalPlan
from core.costs.gpu_memory import PRECISIONS, MemoryNeed
from core.costs.gpu_places import NEAR_KOREA
from core.costs.gpu_ranking import MEASURES, Measure, OfferFilter, vendor_of
from core.costs.gpus import PURCHASE_OPTIONS, GpuOffer
from core.workload import Problem
from pages.parts import address, number_field
from pages.parts.state import tr

DEFAULT_GPU = "H100-80GB"
ALL = ""
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
    """What the reader chose; `fit_filter` is the filter without the GPU, for what must fit and for the scatter."""

    wanted: OfferFilter
    fit_filter: OfferFilter
    measure: Measure
    with_stale: bool
    plan: RentalPlan
    need: MemoryNeed
    view: str
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
    default_gpu = DEFAULT_GPU if DEFAULT_GPU in options.gpus else ALL
    fields.append(address.Field(key="gc_gpu", kind="choice", default=default_gpu, options=(ALL, *options.gpus)))
    fields += [
        address.Field(key=f"gc_{name}", kind="choice", default=values[0], options=values)
        for name, values in {"sort": MEASURES, "mode": MODES, "view": VIEWS}.items()
    ]
    fields.append(address.Field(key="gc_precision", kind="choice", default="fp8", options=PRECISIONS))
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


def draw_filters(options: Options) -> None:
    """The filters beside the chart; the rare ones in an expander."""
    st.toggle(tr("gpu_clouds.field_korea"), key="gc_korea", help=tr("gpu_clouds.help_korea"))
    st.selectbox(
        tr("gpu_clouds.field_gpu"), [ALL, *options.gpus], key="gc_gpu",
        format_func=lambda one: one or tr("gpu_clouds.all"),
    )  # fmt: skip
    st.pills(
        tr("gpu_clouds.field_option"), PURCHASE_OPTIONS, selection_mode="multi", key="gc_option",
        format_func=option_name,
    )  # fmt: skip
    st.selectbox(
        tr("gpu_clouds.field_sort"), MEASURES, key="gc_sort", format_func=lambda one: tr(f"gpu_clouds.sort_{one}")
    )
    more = st.expander(tr("gpu_clouds.more_filters"), on_change="rerun", key="gc_more")
    if not more.open:
        return
    with more:
        for name in ("gpus", "country", "provider", "region", "vendor", "form"):
            values = getattr(options, {"country": "countries", "gpus": "gpus"}.get(name, f"{name}s"))
            st.multiselect(tr(f"gpu_clouds.field_{name}"), values, key=f"gc_{name}", placeholder=tr("gpu_clouds.all"))
        for name in ("count_min", "count_max", "memory_min"):
            _, low, high = COUNTS[name]
            number_field.number_field(tr(f"gpu_clouds.field_{name}"), low, high, key=f"gc_{name}", is_whole=True)
        for name in ("confirmed", "newest", "stale"):
            st.toggle(tr(f"gpu_clouds.field_{name}"), key=f"gc_{name}", help=tr(f"gpu_clouds.help_{name}"))


def draw_plan(mode: str) -> None:
    """How long it runs, storage, traffic and tax."""
    st.segmented_control(
        tr("gpu_clouds.field_mode"), MODES, key="gc_mode", required=True,
        format_func=lambda one: tr(f"gpu_clouds.mode_{one}"),
    )  # fmt: skip
    names = {"schedule": ("hours", "days"), "utilization": ("util",)}.get(mode, ())
    for name in (*names, "storage", "egress", "storage_price", "egress_price", "tax"):
        _number_field(name)
    _, low, high = COUNTS["machines"]
    number_field.number_field(tr("gpu_clouds.field_machines"), low, high, key="gc_machines", is_whole=True)


def draw_need() -> None:
    """What must fit."""
    one, two, three, four = st.columns(4)
    with one:
        _number_field("params")
    two.selectbox(tr("gpu_clouds.field_precision"), PRECISIONS, key="gc_precision", format_func=str.upper)
    for column, name in ((three, "context"), (four, "sequences")):
        _, low, high = COUNTS[name]
        number_field.number_field(
            tr(f"gpu_clouds.field_{name}"), low, high, key=f"gc_{name}", is_whole=True, place=column
        )


def draw_rtt() -> None:
    """One's own measurement of the round trip."""
    _number_field("rtt")


def _number_field(name: str) -> None:
    _, low, high = NUMBERS[name]
    number_field.number_field(
        tr(f"gpu_clouds.field_{name}"), low, high, key=f"gc_{name}", format="%.4g", placeholder="–"
    )


def option_name(option: str) -> str:
    """A purchase option in the reader's language."""
    return tr(f"gpu_clouds.option_{option}")
