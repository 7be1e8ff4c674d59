"""How are the inputs of "GPU clouds" edited? Filters beside the chart, hours beside the bill, what must fit above."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.costs.gpu_memory import PRECISIONS
from core.costs.gpu_ranking import MEASURES
from core.costs.gpus import PURCHASE_OPTIONS
from pages.parts import number_field
from pages.parts.gpu_inputs import ALL, COUNTS, MODES, NUMBERS, Options, gpu_name, named, option_name
from pages.parts.offer_words import country_text
from pages.parts.state import tr

EXPLAINED = frozenset(
    {"form", "util", "storage", "egress", "tax", "params", "precision", "context", "sequences", "rtt"}
)
"""Fields whose label holds a term."""


def draw_filters(options: Options) -> None:
    """The filters beside the chart; the rare ones in an expander. Countries are found by name."""
    st.toggle(tr("gpu_clouds.field_korea"), key="gc_korea", help=tr("gpu_clouds.help_korea"))
    st.selectbox(tr("gpu_clouds.field_gpu"), [ALL, *options.gpus], key="gc_gpu", format_func=gpu_name)
    st.pills(
        tr("gpu_clouds.field_option"), PURCHASE_OPTIONS, selection_mode="multi", key="gc_option",
        format_func=option_name, help=tr("gpu_clouds.help_option"),
    )  # fmt: skip
    st.selectbox(
        tr("gpu_clouds.field_sort"), MEASURES, key="gc_sort", format_func=partial(named, "sort"),
        help=tr("gpu_clouds.help_sort"),
    )  # fmt: skip
    more = st.expander(tr("gpu_clouds.more_filters"), on_change="rerun", key="gc_more")
    if not more.open:
        return
    with more:
        for name in ("gpus", "country", "provider", "region", "vendor", "form"):
            values = getattr(options, {"country": "countries", "gpus": "gpus"}.get(name, f"{name}s"))
            called = country_text if name == "country" else str
            st.multiselect(
                tr(f"gpu_clouds.field_{name}"), sorted(values, key=called), key=f"gc_{name}", format_func=called,
                placeholder=tr("gpu_clouds.all"), help=_help(name),
            )  # fmt: skip
        for name in ("count_min", "count_max", "memory_min"):
            _, low, high = COUNTS[name]
            number_field.number_field(tr(f"gpu_clouds.field_{name}"), low, high, key=f"gc_{name}", is_whole=True)
        for name in ("confirmed", "newest", "stale"):
            st.toggle(tr(f"gpu_clouds.field_{name}"), key=f"gc_{name}", help=tr(f"gpu_clouds.help_{name}"))


def draw_plan(mode: str) -> None:
    """How long it runs, storage, traffic and tax."""
    st.segmented_control(
        tr("gpu_clouds.field_mode"), MODES, key="gc_mode", required=True,
        format_func=partial(named, "mode"),
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
    two.selectbox(
        tr("gpu_clouds.field_precision"), PRECISIONS, key="gc_precision", format_func=str.upper,
        help=_help("precision"),
    )  # fmt: skip
    for column, name in ((three, "context"), (four, "sequences")):
        _, low, high = COUNTS[name]
        number_field.number_field(
            tr(f"gpu_clouds.field_{name}"), low, high, key=f"gc_{name}", is_whole=True, place=column, help=_help(name)
        )


def draw_rtt() -> None:
    """One's own measurement of the round trip."""
    _number_field("rtt")


def _help(name: str) -> str | None:
    """What a term means; nothing where the label says it all."""
    return tr(f"gpu_clouds.help_{name}") if name in EXPLAINED else None


def _number_field(name: str) -> None:
    _, low, high = NUMBERS[name]
    number_field.number_field(
        tr(f"gpu_clouds.field_{name}"),
        low,
        high,
        key=f"gc_{name}",
        format="%.9g",
        placeholder="–",
        help=_help(name),
        is_usd=name.endswith("_price"),
    )
