"""Which model is rented for, on which machines, run how, and compared with which API? The inputs of "rent or call"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import streamlit as st

from core.catalog.aliases import UnknownModelError
from core.costs.conventions import HOURS_PER_MONTH
from core.costs.model_shapes import model_shapes
from core.costs.selfhost import Operations
from pages.parts import address, address_values, fleet_measured, number_field, widgets
from pages.parts.fleet_offered import countries, gpu_ids, gpu_named
from pages.parts.state import catalog, prices_version, tr

PRECISIONS = ("fp16", "fp8", "fp4")
PURCHASES = ("on_demand", "reserved", "spot")
ANY = ""
# Models most readers know, offered for comparison beside the hosts of the open model itself.
WELL_KNOWN = (
    "openai/gpt-4.1", "openai/gpt-4o-mini", "google/gemini-2.5-flash", "anthropic/claude-sonnet-4-6",
    "deepseek/deepseek-chat",
)  # fmt: skip
API = "sh_api"
CHOICE_MIN_WIDTH_PX = 110

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
WHOLE = ("redundancy",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the reader chose; None where a choice is open, no GPU for all of them.

    The measured speed is that of one replica of `measured_gpus` GPUs of the model `measured_gpu`; both None mean those
    of the fleet that is cheapest by estimate.
    """

    model_id: str
    precision: str
    purchase_option: str
    country: str | None
    gpu_models: tuple[str, ...]
    api_model: str | None
    measured_tokens_per_s: float | None
    measured_gpu: str | None
    measured_gpus: int | None
    operations: Operations

    def serving(self, model_id: str) -> Choices:
        """The same choices for an open model, without the measured speed when that is another's."""
        if model_id == self.model_id:
            return self
        return replace(self, model_id=model_id, measured_tokens_per_s=None)


def fields() -> Sequence[address.Field]:
    """Every input of the page with its limits; keys are names in the address."""
    return _fields(prices_version())


@lru_cache(maxsize=2)
def _fields(_prices: tuple[object, ...]) -> Sequence[address.Field]:
    plain = Operations()
    found = [
        address.Field(
            key="sh_model", kind="choice", default="llama-3.3-70b", options=tuple(model_shapes()), named=_model
        ),
        address.Field(key="sh_precision", kind="choice", default="fp8", options=PRECISIONS, named=str),
        address.Field(key="sh_purchase", kind="choice", default="on_demand", options=PURCHASES, named=_purchase),
        address.Field(key="sh_country", kind="choice", default=ANY, options=(ANY, *countries()), named=_place),
        address.Field(key=API, kind="choice", default=ANY, options=(ANY, *catalog().llm.sheets()), named=_api),
        address.Field(key="sh_gpu", kind="choices", default=[], options=gpu_ids()),
        *fleet_measured.fields(),
    ]
    for name, (low, high, _, factor) in OPERATION_FIELDS.items():
        default = round(getattr(plain, name) / factor, 6)
        kind: Literal["int", "float"] = "int" if name in WHOLE else "float"
        found.append(address.Field(key=f"sh_{name}", kind=kind, default=float(default), low=low, high=high))
    return found


def _model(model_id: str) -> str:
    return model_shapes()[model_id].name


def _purchase(option: str) -> str:
    return tr(f"self_host.purchase_{option}")


def _place(country: str) -> str:
    return country or tr("self_host.anywhere")


def _api(key: str) -> str:
    return key or tr("self_host.api_cheapest")


def draw(api_models: Sequence[str], *, has_hosts: bool) -> None:
    """Draws the inputs beside the answer; rare ones in an expander that says what is in it.

    `api_models` are offered for comparison; the name of any other model of the catalog can be typed. Without hosts of
    the open model the first choice says so.
    """
    _draw_served()
    offered = dict.fromkeys((ANY, *api_models, st.session_state[API]))
    st.selectbox(
        tr("self_host.api"), list(offered), key=API,
        format_func=lambda one: one or tr("self_host.api_cheapest" if has_hosts else "self_host.api_no_host"),
        help=tr("self_host.api_help"), accept_new_options=True, on_change=_take_api,
    )  # fmt: skip
    notice = st.session_state.pop(fleet_measured.NOTICE, None)
    if notice is not None:
        st.warning(widgets.plain(notice))
    st.multiselect(
        tr("self_host.gpu"), gpu_ids(), key="sh_gpu", format_func=gpu_named, placeholder=tr("self_host.any_gpu")
    )
    st.selectbox(
        tr("self_host.country"), (ANY, *countries()), key="sh_country",
        format_func=_place,
    )  # fmt: skip
    more = st.expander(tr("self_host.operations"), on_change="rerun", key="sh_more")
    if more.open:
        with more:
            _draw_operations()


def _draw_served() -> None:
    """Which model is served, in which precision, on machines bought how."""
    st.selectbox(
        tr("self_host.model"), list(model_shapes()), key="sh_model", format_func=_model,
        on_change=fleet_measured.drop,
    )  # fmt: skip
    with st.grid(2, min_column_width=CHOICE_MIN_WIDTH_PX):
        st.selectbox(
            tr("self_host.precision"), PRECISIONS, key="sh_precision", help=tr("self_host.precision_help"),
            on_change=fleet_measured.drop,
        )  # fmt: skip
        st.selectbox(
            tr("self_host.purchase"), PURCHASES, key="sh_purchase", format_func=_purchase,
            help=tr("gpu_clouds.help_option"),
        )  # fmt: skip


def _take_api() -> None:
    """A typed name becomes the catalog's; one that is in no catalog is said, with its nearest."""
    typed = str(st.session_state[API] or ANY)
    if typed == ANY:
        return
    try:
        address.set_value(API, catalog().llm.resolve(typed))
    except UnknownModelError as error:
        near = ", ".join(error.suggestions) or "–"
        st.session_state[fleet_measured.NOTICE] = tr(
            "self_host.api_unknown", name=typed[: address_values.TEXT_MAX_CHARS], near=near
        )
        address.set_value(API, ANY)


def _draw_operations() -> None:
    fleet_measured.draw()
    for name, (low, high, step, _) in OPERATION_FIELDS.items():
        number_field.number_field(
            tr(f"self_host.op_{name}"), low, high, step=step, key=f"sh_{name}", is_whole=name in WHOLE,
            is_usd="_usd_" in name, format="%.9g", help=tr(f"self_host.op_help_{name}"),
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
        gpu_models=tuple(map(gpu_named, values["sh_gpu"] or ())),
        api_model=values[API] or None,
        measured_tokens_per_s=values[fleet_measured.SPEED],
        measured_gpu=values[fleet_measured.GPU] or None,
        measured_gpus=values[fleet_measured.GPUS],
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
