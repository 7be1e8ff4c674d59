"""Which model is rented for, on which machines, run how, and compared with which API? The inputs of "rent or call"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import streamlit as st

from core.catalog.aliases import UnknownModelError
from core.costs.conventions import HOURS_PER_MONTH
from core.costs.model_shapes import model_shapes
from core.costs.selfhost import Operations
from core.costs.tokens import PriceSheet
from pages.parts import address, widgets
from pages.parts.state import catalog, tr

PRECISIONS = ("fp16", "fp8", "fp4")
PURCHASES = ("on_demand", "reserved", "spot")
ANY = ""
# Models most readers know, offered for comparison beside the hosts of the open model itself.
WELL_KNOWN = (
    "openai/gpt-4.1", "openai/gpt-4o-mini", "google/gemini-2.5-flash", "anthropic/claude-sonnet-4-5",
    "deepseek/deepseek-chat",
)  # fmt: skip
HOSTS_SHOWN = 20
API, UNKNOWN = "sh_api", "_sh_api_unknown"

# Name of the field, its limits as the reader sees them, its step, and its factor to the core's unit.
OPERATION_FIELDS: Mapping[str, tuple[float, float, float, float]] = {
    "load_factor": (10, 100, 5, 0.01),
    "redundancy": (0, 10, 1, 1),
    "hours_per_month": (1, HOURS_PER_MONTH, 10, 1),
    "autoscale_share": (0, 100, 5, 0.01),
    "reserved_share": (0, 100, 5, 0.01),
    "spot_share": (0, 100, 5, 0.01),
    "staff_fte": (0, 20, 0.05, 1),
    "salary_usd_per_year": (0, 1_000_000, 5_000, 1),
    "storage_gb": (0, 1_000_000, 100, 1),
    "egress_kb_per_request": (0, 100_000, 1, 1),
    "observability_usd_per_month": (0, 1_000_000, 50, 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the reader chose; None where a choice is open."""

    model_id: str
    precision: str
    purchase_option: str
    country: str | None
    api_model: str | None
    measured_tokens_per_s: float | None
    operations: Operations

    def serving(self, model_id: str) -> Choices:
        """The same choices for an open model, without the measured speed when that is another's."""
        if model_id == self.model_id:
            return self
        return replace(self, model_id=model_id, measured_tokens_per_s=None)


def hosts_of(model_id: str, sheets: Mapping[str, PriceSheet]) -> list[str]:
    """Catalog models that serve this open model, by their id; retired ones are left out."""
    wanted = _plain(model_id)
    found = [key for key, sheet in sheets.items() if wanted in _plain(sheet.model_id) and not sheet.is_retired]
    return sorted(found)[:HOSTS_SHOWN]


@lru_cache(maxsize=16_384)
def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


def fields() -> list[address.Field]:
    """Every input of the page with its limits; keys are names in the address."""
    plain = Operations()
    found = [
        address.Field(key="sh_model", kind="choice", default="llama-3.3-70b", options=tuple(model_shapes())),
        address.Field(key="sh_precision", kind="choice", default="fp8", options=PRECISIONS),
        address.Field(key="sh_purchase", kind="choice", default="on_demand", options=PURCHASES),
        address.Field(key="sh_country", kind="choice", default=ANY, options=(ANY, *countries())),
        address.Field(key=API, kind="choice", default=ANY, options=(ANY, *catalog().llm.sheets())),
        address.Field(key="sh_measured", kind="float", default=None, low=1, high=10_000_000),
    ]
    for name, (low, high, _, factor) in OPERATION_FIELDS.items():
        default = round(getattr(plain, name) / factor, 6)
        found.append(address.Field(key=f"sh_{name}", kind="float", default=float(default), low=low, high=high))
    return found


def draw(api_models: Sequence[str]) -> None:
    """Draws the inputs beside the answer; rare ones in an expander that says what is in it.

    `api_models` are offered for comparison; the name of any other model of the catalog can be typed.
    """
    names = {key: shape.name for key, shape in model_shapes().items()}
    st.selectbox(tr("self_host.model"), list(names), key="sh_model", format_func=names.__getitem__)
    left, right = st.columns(2)
    left.selectbox(tr("self_host.precision"), PRECISIONS, key="sh_precision", help=tr("self_host.precision_help"))
    right.selectbox(
        tr("self_host.purchase"), PURCHASES, key="sh_purchase", format_func=lambda one: tr(f"self_host.purchase_{one}")
    )
    offered = dict.fromkeys((ANY, *api_models, st.session_state[API]))
    st.selectbox(
        tr("self_host.api"), list(offered), key=API, format_func=lambda one: one or tr("self_host.api_cheapest"),
        help=tr("self_host.api_help"), accept_new_options=True, on_change=_take_api,
    )  # fmt: skip
    unknown = st.session_state.pop(UNKNOWN, None)
    if unknown is not None:
        st.warning(widgets.plain(tr("self_host.api_unknown", name=unknown[0], near=", ".join(unknown[1]) or "–")))
    st.selectbox(
        tr("self_host.country"), (ANY, *countries()), key="sh_country",
        format_func=lambda one: one or tr("self_host.anywhere"),
    )  # fmt: skip
    more = st.expander(tr("self_host.operations"), on_change="rerun", key="sh_more")
    if more.open:
        with more:
            _draw_operations()


def _take_api() -> None:
    """A typed name becomes the catalog's; one that is in no catalog is said, with its nearest."""
    typed = str(st.session_state[API] or ANY)
    if typed == ANY:
        return
    try:
        address.set_value(API, catalog().llm.resolve(typed))
    except UnknownModelError as error:
        st.session_state[UNKNOWN] = (typed[: address.TEXT_MAX_CHARS], error.suggestions)
        address.set_value(API, ANY)


def _draw_operations() -> None:
    st.number_input(
        tr("self_host.measured"), 1.0, 10_000_000.0, key="sh_measured", placeholder="–",
        help=tr("self_host.measured_help"),
    )  # fmt: skip
    for name, (low, high, step, _) in OPERATION_FIELDS.items():
        st.number_input(
            tr(f"self_host.op_{name}"), float(low), float(high), step=float(step), key=f"sh_{name}", format="%.4g",
            help=tr(f"self_host.op_help_{name}"),
        )  # fmt: skip


def read() -> Choices:
    """The choices as of this run, on every page that needs them; what an address got wrong is said there."""
    values, problems = address.bind(fields())
    widgets.show_problems(problems, {one.field: _label(one.field) for one in problems})
    for name in _corrections(values):
        st.warning(tr(f"self_host.{name}"), icon=":material/info:")
    return choices_of(values)


def choices_of(values: Mapping[str, Any]) -> Choices:
    """The choices that field values (by parameter name) describe."""
    return Choices(
        model_id=values["sh_model"],
        precision=values["sh_precision"],
        purchase_option=values["sh_purchase"],
        country=values["sh_country"] or None,
        api_model=values[API] or None,
        measured_tokens_per_s=values["sh_measured"],
        operations=_operations(values),
    )


def _operations(values: Mapping[str, Any]) -> Operations:
    """The fields as operations; what contradicts another field gives way as `_corrections` says."""
    found = {name: float(values[f"sh_{name}"]) * factor for name, (*_, factor) in OPERATION_FIELDS.items()}
    wrong = _corrections(values)
    if "shares_exceed" in wrong:
        found["spot_share"] = 1 - found["reserved_share"]
    spare = max(1, int(found["redundancy"])) if "spot_needs_spare" in wrong else int(found["redundancy"])
    return Operations(**{**found, "redundancy": spare})  # type: ignore[arg-type]


def _corrections(values: Mapping[str, Any]) -> list[str]:
    """What is not possible together, as names of sentences: more than all machines, spot without a spare replica."""
    reserved, spot = values["sh_reserved_share"], values["sh_spot_share"]
    found = ["shares_exceed"] if reserved + spot > 100 else []
    is_all_spot = values["sh_purchase"] == "spot" or min(spot, 100 - reserved) >= 100
    return found + (["spot_needs_spare"] if is_all_spot and int(values["sh_redundancy"]) == 0 else [])


def _label(key: str) -> str:
    name = key.removeprefix("sh_")
    return tr(f"self_host.op_{name}") if name in OPERATION_FIELDS else tr(f"self_host.{name}")


def countries() -> list[str]:
    """Every country in which a machine is offered."""
    return sorted({one.country for one in catalog().gpu_offers() if one.country})
