"""Which ways of serving are compared? The one list the simulation, the ROI and the overview read, kept in the address.

    problems = ways.take()              # once per run, before any widget: reads the address
    found, refused = ways.current()     # list[Way] for `simulate`, and sentences about what could not be used
    ways.editor()                       # the widgets, e.g. in a popover; draw it only when it is open
    ways.sheets_of(found)               # the price sheets behind them, for sources and ages

Parameters: `way_models` (provider/model, repeated), `way_gw` (a model billed through a gateway, empty for none) with
`way_gw_fee` (USD a month), `way_gw_share`, `way_gw_off` and `way_vat` (percent; VAT is on the gateway's bill), and
`way_mix` (`provider/model:share` joined by commas, shares in percent that add up to 100), and `way_rent` (an open model
on the cheapest machines of one's own, empty for none; the parameters of "rent or call" say how they are run).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.catalog.aliases import MAKERS
from core.costs.model_shapes import model_shapes
from core.costs.monthly import MAX_WAYS, FleetWay, MixPart, MixWay, ModelWay, Terms, Way, through_gateway
from core.costs.monthly_ways import GATEWAY_TERMS, parts_of
from core.costs.tokens import PriceSheet
from core.workload import Problem, Workload
from pages.parts import address, fleet, fleet_inputs, number_field, state
from pages.parts.state import tr

DEFAULT_MODELS = (
    "google/gemini-2.5-flash", "openai/gpt-4.1-mini", "openai/gpt-4.1", "anthropic/claude-sonnet-4-6",
)  # fmt: skip
MAX_MODELS = MAX_WAYS - 3
MAX_FEE_USD = 1e6
MODELS, GATEWAY, MIX, RENT = "way_models", "way_gw", "way_mix", "way_rent"
FEE, SHARE, DISCOUNT, VAT = "way_gw_fee", "way_gw_share", "way_gw_off", "way_vat"
NO_GATEWAY = NO_RENT = ""


def _sheets() -> Mapping[str, PriceSheet]:
    return state.catalog().llm.sheets()


def _fields() -> tuple[address.Field, ...]:
    known = _sheets()
    return (
        address.Field(
            key=MODELS, kind="choices", default=[one for one in DEFAULT_MODELS if one in known], options=list(known)
        ),
        address.Field(key=GATEWAY, kind="choice", default=NO_GATEWAY, options=[NO_GATEWAY, *known], named=_gateway),
        address.Field(key=FEE, kind="float", default=GATEWAY_TERMS.fee_usd_per_month, low=0, high=MAX_FEE_USD),
        address.Field(key=SHARE, kind="float", default=0.0, low=0, high=100),
        address.Field(key=DISCOUNT, kind="float", default=0.0, low=0, high=100),
        address.Field(key=VAT, kind="float", default=GATEWAY_TERMS.vat_share * 100, low=0, high=100),
        address.Field(key=MIX, kind="text", default=""),
        address.Field(key=RENT, kind="choice", default=NO_RENT, options=[NO_RENT, *model_shapes()], named=_rent),
    )


def _gateway(key: str) -> str:
    return label_of(key) if key else tr("monthly_cost.no_gateway")


def _rent(model_id: str) -> str:
    return model_id or tr("monthly_cost.no_rent")


def take() -> list[Problem]:
    """Takes the ways from the address into the session; what had to be corrected, to be shown once."""
    return address.bind(_fields())[1]


def _saved_fields(rented: object) -> Sequence[address.Field]:
    """What a scenario keeps: own machines cost what the way they are run costs."""
    return (*_fields(), *fleet_inputs.fields()) if rented else _fields()


def parameters() -> dict[str, str]:
    """The ways as saved with a scenario; lists are joined by blanks, which no model id contains."""
    found = {}
    for field in _saved_fields(st.session_state.get(RENT)):
        value = st.session_state.get(field.key, field.default)
        if value != field.default and value is not None:
            found[field.key] = " ".join(value) if isinstance(value, list | tuple) else str(value)
    return found


def set_parameters(saved: Mapping[str, str]) -> list[Problem]:
    """Puts a saved scenario's ways in force; call it in a callback. Unusable values are corrected and reported."""
    problems: list[Problem] = []
    for field in _saved_fields(saved.get(RENT)):
        given = saved.get(field.key)
        texts = None if given is None else given.split() if field.kind == "choices" else [given]
        address.set_value(field.key, field.default if texts is None else address.parse(field, texts, problems))
    return problems


def label(sheet: PriceSheet) -> str:
    """Name of a model as shown; with its provider unless that is the model's maker."""
    name = sheet.name or sheet.model_id
    return name if sheet.provider_id in MAKERS else f"{name} ({sheet.provider_id})"


def label_of(key: str) -> str:
    """Name of the model with that `provider/model` key; the key itself when the catalog lacks it."""
    sheet = _sheets().get(key)
    return label(sheet) if sheet else key


def current() -> tuple[list[Way], list[str]]:
    """The ways in force, models first, and one sentence for each that could not be used."""
    return from_values({field.key: st.session_state.get(field.key, field.default) for field in _fields()})


def from_parameters(saved: Mapping[str, str], workload: Workload | None = None) -> tuple[list[Way], list[str]]:
    """The ways of a saved scenario, without putting them in force."""
    values: dict[str, Any] = {}
    for field in _saved_fields(saved.get(RENT)):
        texts = saved.get(field.key, "").split() if field.kind == "choices" else [saved.get(field.key, "")]
        values[field.key] = address.parse(field, texts, []) if field.key in saved else field.default
    return from_values(values, workload)


def from_values(values: Mapping[str, Any], workload: Workload | None = None) -> tuple[list[Way], list[str]]:
    """The ways that field values (by parameter name) describe, and one sentence for each that could not be used."""
    refused: list[str] = []
    chosen = list(values.get(MODELS) or [])
    if len(chosen) > MAX_MODELS:
        refused.append(tr("monthly_cost.too_many_models", limit=MAX_MODELS))
        chosen = chosen[:MAX_MODELS]
    sheets = _sheets()
    found: list[Way] = [ModelWay(name=label(sheets[key]), sheet=sheets[key]) for key in chosen if key in sheets]
    gateway_key = values.get(GATEWAY) or NO_GATEWAY
    if gateway_key in sheets:
        inner = ModelWay(name=label(sheets[gateway_key]), sheet=sheets[gateway_key])
        found.append(
            through_gateway(inner, name=tr("monthly_cost.through_gateway", model=inner.name), terms=_terms(values))
        )
    mix, sentence = mix_of(str(values.get(MIX) or ""), sheets)
    if mix:
        found.append(mix)
    if sentence:
        refused.append(sentence)
    if values.get(RENT):
        run = fleet_inputs.choices_of(values) if "sh_model" in values else fleet_inputs.read()
        rent = fleet.cheapest_way(run.serving(str(values[RENT])), workload or state.workload())
        if rent:
            found.append(rent)
        else:
            refused.append(tr("monthly_cost.rent_none", model=str(values[RENT])[:60]))
    return found, refused


def _terms(values: Mapping[str, Any]) -> Terms:
    return Terms(
        fee_usd_per_month=float(values.get(FEE) or 0.0),
        fee_share=float(values.get(SHARE) or 0.0) / 100,
        discount_share=float(values.get(DISCOUNT) or 0.0) / 100,
        vat_share=float(values.get(VAT) or 0.0) / 100,
    )


def way_id(way: Way) -> str:
    """What names a way in an address, in any language: the model's key, `gateway`, `mix` or `rent`."""
    if isinstance(way, MixWay):
        return "mix"
    if isinstance(way, FleetWay):
        return "rent"
    return "gateway" if way.kind == "gateway" else way.sheet.key


def mix_of(text: str, sheets: Mapping[str, PriceSheet]) -> tuple[MixWay | None, str]:
    """The mix written as `provider/model:percent,...`, or the sentence that says what is wrong with it."""
    percents = mix_percents(text)
    if not percents:
        return None, tr("monthly_cost.mix_unreadable") if text.strip() else ""
    unknown = [key for key in percents if key not in sheets]
    if unknown:
        return None, tr("monthly_cost.mix_unknown", model=unknown[0][:60])
    total = sum(percents.values())
    if abs(total - 100) > 1e-6 or any(percent < 0 for percent in percents.values()):
        return None, tr("monthly_cost.mix_sum", total=f"{total:g}")
    parts = tuple(
        MixPart(model=ModelWay(name=label(sheets[key]), sheet=sheets[key]), share=percent / 100)
        for key, percent in percents.items()
        if percent > 0
    )
    return MixWay(name=tr("monthly_cost.mix_name"), parts=parts), ""


def mix_percents(text: str) -> dict[str, float]:
    """Percent by model of a written mix; empty when it cannot be read."""
    found: dict[str, float] = {}
    for piece in text.split(","):
        key, _, percent = piece.strip().rpartition(":")
        try:
            found[key] = float(percent)
        except ValueError:
            return {}
    return {} if "" in found or any(percent != percent for percent in found.values()) else found


def sheets_of(ways: Sequence[Way]) -> list[PriceSheet]:
    """The price sheets behind ways, each once."""
    models = [part.model for way in ways if not isinstance(way, FleetWay) for part in parts_of(way)]
    return list({model.sheet.key: model.sheet for model in models}.values())


def editor() -> None:
    """Widgets for all ways. They hold thousands of names, so draw them only where they are wanted."""
    known = sorted(_sheets())
    st.multiselect(tr("monthly_cost.models"), known, key=MODELS, format_func=label_of, max_selections=MAX_MODELS)
    st.selectbox(
        tr("monthly_cost.gateway"), [NO_GATEWAY, *known], key=GATEWAY, format_func=_gateway,
        help=tr("monthly_cost.gateway_help"),
    )  # fmt: skip
    if st.session_state.get(GATEWAY):
        first, second = st.columns(2)
        for place, name, key, high, step in (
            (first, "fee", FEE, MAX_FEE_USD, 1.0), (second, "fee_share", SHARE, 100, 0.5),
            (first, "discount", DISCOUNT, 100, 0.5), (second, "vat", VAT, 100, 0.5),
        ):  # fmt: skip
            number_field.number_field(
                tr(f"monthly_cost.{name}"), 0, high, key=key, step=step, place=place, is_usd=name == "fee"
            )
    st.selectbox(
        tr("monthly_cost.rent"), [NO_RENT, *sorted(model_shapes())], key=RENT, format_func=_rent,
        help=tr("monthly_cost.rent_help"),
    )  # fmt: skip
    _mix_editor()


def _mix_editor() -> None:
    chosen = list(st.session_state.get(MODELS, []))
    if len(chosen) < 2:
        return
    st.markdown(f"**{tr('monthly_cost.mix')}**", help=tr("monthly_cost.mix_help"))
    percents = mix_percents(st.session_state.get(MIX, ""))
    for place, key in enumerate(chosen):
        widget = f"way_mix_{place}"
        st.session_state[widget] = min(max(float(percents.get(key, 0.0)), 0.0), 100.0)
        number_field.number_field(label_of(key), 0, 100, key=widget, step=5, on_change=_write_mix, args=(chosen,))


def _write_mix(chosen: Sequence[str]) -> None:
    percents = {key: float(st.session_state.get(f"way_mix_{place}") or 0.0) for place, key in enumerate(chosen)}
    written = ",".join(f"{key}:{percent:g}" for key, percent in percents.items() if percent > 0)
    address.set_value(MIX, written)
