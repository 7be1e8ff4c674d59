"""What does the reader want of a GPU offer? Filters, hours, what must fit; every one of them in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.costs.gpu_bills import RentalPlan
from core.costs.gpu_memory import BYTES_PER_PARAMETER, MemoryNeed
from core.costs.gpu_places import NEAR_KOREA
from core.costs.gpu_ranking import MEASURES, OfferFilter, vendor_of
from core.costs.gpus import PURCHASE_OPTIONS, GpuOffer
from core.workload import Problem
from pages.parts import address
from pages.parts.state import tr

VIEWS = ("table", "providers", "speed", "tokens", "disagree", "article")
MODES = ("always", "schedule", "utilization")
PRECISIONS = tuple(BYTES_PER_PARAMETER)
CHOICES = ("gpu_model", "gpu_option", "gpu_country", "gpu_provider", "gpu_vendor", "gpu_form", "gpu_region")
FLAGS = ("gpu_korea", "gpu_confirmed", "gpu_newest", "gpu_stale", "gpu_fit")

# Name, default, lowest, highest, whether whole.
NUMBERS: tuple[tuple[str, float | None, float, float, bool], ...] = (
    ("gpu_min", 1, 1, 64, True),
    ("gpu_max", None, 1, 64, True),
    ("gpu_memory", 0, 0, 10_000, False),
    ("gpu_hours", 10, 0, 24, False),
    ("gpu_days", 5, 0, 7, False),
    ("gpu_used", 50, 0, 100, False),
    ("gpu_machines", 1, 1, 10_000, True),
    ("gpu_storage", 0, 0, 1_000_000, False),
    ("gpu_storage_price", None, 0, 100, False),
    ("gpu_egress", 0, 0, 1_000_000, False),
    ("gpu_egress_price", None, 0, 100, False),
    ("gpu_tax", 0, 0, 100, False),
    ("gpu_params", 70, 0.1, 10_000, False),
    ("gpu_context", 8_192, 1, 10_000_000, True),
    ("gpu_sequences", 1, 1, 10_000, True),
    ("gpu_rtt", None, 0, 10_000, False),
)


def options_of(offers: Sequence[GpuOffer]) -> dict[str, list[str]]:
    """What each choice may be, from the offers themselves; the commonest GPUs first."""
    counts: dict[str, int] = {}
    for one in offers:
        counts[one.gpu_model] = counts.get(one.gpu_model, 0) + 1
    return {
        "gpu_model": sorted(counts, key=lambda name: -counts[name]),
        "gpu_option": list(PURCHASE_OPTIONS),
        "gpu_country": sorted({one.country for one in offers if one.country}),
        "gpu_provider": sorted({one.provider_id for one in offers}),
        "gpu_vendor": sorted({vendor_of(one.gpu_model) for one in offers}),
        "gpu_form": sorted({one.gpu_form for one in offers if one.gpu_form}),
        "gpu_region": sorted({one.region for one in offers if one.region}),
    }


def bind(offers: Sequence[GpuOffer]) -> tuple[dict[str, Any], list[Problem], dict[str, list[str]]]:
    """Values of all inputs, what an address got wrong, and the choices there are."""
    options = options_of(offers)
    defaults = {"gpu_model": ["H100-80GB"], "gpu_option": ["on_demand"]}
    fields = [
        address.Field(
            key=key, kind="choices", options=options[key],
            default=[one for one in defaults.get(key, []) if one in options[key]],
        )
        for key in CHOICES
    ]  # fmt: skip
    fields += [address.Field(key=key, kind="flag", default=False) for key in FLAGS]
    fields += [
        address.Field(key="gpu_sort", kind="choice", default="gpu_hour", options=MEASURES),
        address.Field(key="gpu_view", kind="choice", default="table", options=VIEWS),
        address.Field(key="gpu_mode", kind="choice", default="always", options=MODES),
        address.Field(key="gpu_precision", kind="choice", default="fp8", options=PRECISIONS),
    ]
    for key, default, low, high, whole in NUMBERS:
        kind: Any = "int" if whole else "float"
        start = default if default is None else int(default) if whole else float(default)
        fields.append(address.Field(key=key, kind=kind, default=start, low=low, high=high))
    values, problems = address.bind(fields)
    return values, problems, options


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The inputs as the core takes them."""

    wanted: OfferFilter
    plan: RentalPlan
    need: MemoryNeed | None


def wish(values: Mapping[str, Any]) -> Wish:
    """Filter, rental plan and memory need of the values."""
    countries = list(values["gpu_country"])
    if values["gpu_korea"]:
        countries = [one for one in NEAR_KOREA if not countries or one in countries] or list(NEAR_KOREA)
    wanted = OfferFilter(
        gpu_models=values["gpu_model"], vendors=values["gpu_vendor"], gpu_forms=values["gpu_form"],
        providers=values["gpu_provider"], regions=values["gpu_region"], countries=countries,
        purchase_options=values["gpu_option"], min_gpu_count=values["gpu_min"], max_gpu_count=values["gpu_max"],
        min_memory_gb=values["gpu_memory"], confirmed_only=values["gpu_confirmed"], newest_only=values["gpu_newest"],
    )  # fmt: skip
    plan = RentalPlan(
        mode=values["gpu_mode"], hours_per_day=values["gpu_hours"], days_per_week=values["gpu_days"],
        utilization=values["gpu_used"] / 100, machine_count=values["gpu_machines"], storage_gb=values["gpu_storage"],
        storage_usd_per_gb_month=values["gpu_storage_price"], egress_gb=values["gpu_egress"],
        egress_usd_per_gb=values["gpu_egress_price"], tax_share=values["gpu_tax"] / 100,
    )  # fmt: skip
    need = None
    if values["gpu_fit"]:
        need = MemoryNeed(
            parameters_billions=values["gpu_params"], precision=values["gpu_precision"],
            context_tokens=values["gpu_context"], sequence_count=values["gpu_sequences"],
        )  # fmt: skip
    return Wish(wanted=wanted, plan=plan, need=need)


def draw(options: Mapping[str, list[str]], values: Mapping[str, Any]) -> None:
    """The filters above the picture: four in sight, the rest in three popovers that say what is in them."""
    one, two, three, four = st.columns([3, 2, 2, 2])
    one.multiselect(tr("gpu_clouds.model"), options["gpu_model"], key="gpu_model")
    two.multiselect(
        tr("gpu_clouds.option"), options["gpu_option"], key="gpu_option",
        format_func=lambda name: tr(f"gpu_clouds.option_{name}"),
    )  # fmt: skip
    three.multiselect(tr("gpu_clouds.country"), options["gpu_country"], key="gpu_country")
    four.selectbox(
        tr("gpu_clouds.sort"), MEASURES, key="gpu_sort", format_func=lambda name: tr(f"gpu_clouds.measure_{name}"),
        help=tr("gpu_clouds.sort_help"),
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", key="gpu_bar"):
        st.toggle(tr("gpu_clouds.korea"), key="gpu_korea", help=tr("gpu_clouds.korea_help"))
        _popover("more", ":material/filter_list:", lambda: _more(options))
        _popover("hours", ":material/schedule:", lambda: _hours(values))
        _popover("fit", ":material/memory:", lambda: _fit(values))


def _popover(name: str, icon: str, body: Any) -> None:
    popover = st.popover(tr(f"gpu_clouds.open_{name}"), icon=icon, on_change="rerun", key=f"gpu_open_{name}")
    if popover.open:
        with popover:
            body()


def _more(options: Mapping[str, list[str]]) -> None:
    for key in ("gpu_provider", "gpu_region", "gpu_vendor", "gpu_form"):
        st.multiselect(tr(f"gpu_clouds.{key.removeprefix('gpu_')}"), options[key], key=key)
    left, right = st.columns(2)
    left.number_input(tr("gpu_clouds.min"), 1, 64, key="gpu_min")
    right.number_input(tr("gpu_clouds.max"), 1, 64, key="gpu_max", placeholder="–")
    _number("gpu_memory", 0.0, 10_000.0)
    for key in ("gpu_confirmed", "gpu_newest", "gpu_stale"):
        name = key.removeprefix("gpu_")
        st.toggle(tr(f"gpu_clouds.{name}"), key=key, help=tr(f"gpu_clouds.{name}_help"))


def _number(key: str, low: float, high: float) -> None:
    st.number_input(tr(f"gpu_clouds.{key.removeprefix('gpu_')}"), low, high, key=key, format="%.6g", placeholder="–")


def _hours(values: Mapping[str, Any]) -> None:
    st.segmented_control(
        tr("gpu_clouds.mode"), MODES, key="gpu_mode", required=True,
        format_func=lambda name: tr(f"gpu_clouds.mode_{name}"),
    )  # fmt: skip
    if values["gpu_mode"] == "schedule":
        _number("gpu_hours", 0.0, 24.0)
        _number("gpu_days", 0.0, 7.0)
    if values["gpu_mode"] == "utilization":
        _number("gpu_used", 0.0, 100.0)
    st.number_input(tr("gpu_clouds.machines"), 1, 10_000, key="gpu_machines")
    for key, high in (
        ("gpu_storage", 1e6), ("gpu_storage_price", 100.0), ("gpu_egress", 1e6), ("gpu_egress_price", 100.0),
        ("gpu_tax", 100.0),
    ):  # fmt: skip
        _number(key, 0.0, high)


def _fit(values: Mapping[str, Any]) -> None:
    st.toggle(tr("gpu_clouds.fit"), key="gpu_fit", help=tr("gpu_clouds.fit_help"))
    disabled = not values["gpu_fit"]
    st.number_input(tr("gpu_clouds.params"), 0.1, 10_000.0, key="gpu_params", format="%.6g", disabled=disabled)
    st.selectbox(tr("gpu_clouds.precision"), PRECISIONS, key="gpu_precision", disabled=disabled)
    st.number_input(tr("gpu_clouds.context"), 1, 10_000_000, key="gpu_context", disabled=disabled)
    st.number_input(tr("gpu_clouds.sequences"), 1, 10_000, key="gpu_sequences", disabled=disabled)
