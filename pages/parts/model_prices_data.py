"""What does each model cost for the shared workload? Bills of all models, the page's filters and its shortlist."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.catalog.aliases import CHAT_MAKERS
from core.costs.api_bills import api_bill
from core.costs.tokens import PriceSheet, as_utc, find_row, unit_prices
from core.costs.tokens_mix import blended_usd_per_mtok, mix_of
from core.costs.tokens_rivals import disagreements
from core.money import MICRO
from core.workload import Problem, Workload
from pages.parts import address, widgets
from pages.parts.state import catalog, tr

SHORTLIST = (
    "google/gemini-2.5-flash", "openai/gpt-4.1", "anthropic/claude-sonnet-4-5", "deepseek/deepseek-v4-flash",
)  # fmt: skip
SCOPES, STATUSES = ("makers", "all"), ("alive", "retired", "any")
MODALITIES = ("chat", "any", "audio", "image", "video")
# Models for one purpose answer no prompt, so their low prices say nothing about this workload.
SINGLE_PURPOSE = re.compile(
    r"embed|ocr|moderation|tts|whisper|transcribe|rerank|guard|image|audio|realtime|live|voxtral|davinci|babbage|\bada\b"
    r"|curie|search|ft[:-]|speech|translate|veo|imagen|robotics|code-fim"
)
CONTEXTS = ("0", "32000", "128000", "200000", "1000000")
VIEWS = ("side", "history", "article", "tasks", "own", "feed")
COMPONENTS = ("output", "input", "cache_read")
MAX_SHORTLIST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A model's monthly bill for a workload (USD, first month), its list prices (USD per Mtok) and their origin."""

    key: str
    name: str
    provider_id: str
    usd_per_month: float
    blended_usd_per_mtok: float | None
    input_usd: float | None
    cached_usd: float | None
    output_usd: float | None
    context_tokens: int | None
    modalities: tuple[str, ...]
    is_retired: bool
    layer: str
    source: str
    as_of: dt.date | None
    rival_count: int
    notes: tuple[str, ...]


def now() -> dt.datetime:
    """This moment, to the hour: figures do not change while the page is read."""
    return as_utc(None).replace(minute=0, second=0, microsecond=0)


def sheets() -> Mapping[str, PriceSheet]:
    """Every model's prices."""
    return catalog().llm.sheets()


@st.cache_data(show_spinner=False, max_entries=64)
def _bills(keys: Sequence[str], workload: Workload, at: dt.datetime, _version: str, version: str) -> list[Bill]:
    known = sheets()
    found = (bill_of(known[key], workload, at) for key in keys)
    return sorted((one for one in found if one is not None), key=lambda one: (one.usd_per_month, one.key))


def bills(workload: Workload, keys: Sequence[str]) -> list[Bill]:
    """Bills of these models, those without a price now left out, the cheapest first."""
    version = catalog().llm.version
    return _bills(keys, workload, now(), version, version)


def bill_of(sheet: PriceSheet, workload: Workload, at: dt.datetime) -> Bill | None:
    """One model's bill, None without an input or output price; retries are billed requests."""
    bill = api_bill(sheet, workload, at)
    row = find_row(sheet, "output", "standard", at, workload.input_tokens)
    if bill is None or row is None:
        return None
    prices = unit_prices(sheet, at, "standard", workload.input_tokens)
    return Bill(
        key=sheet.key,
        name=sheet.name or sheet.model_id,
        provider_id=sheet.provider_id,
        usd_per_month=bill.usd_per_month,
        blended_usd_per_mtok=blended_usd_per_mtok(sheet, mix_of(workload), at),
        input_usd=_usd(prices.input),
        cached_usd=_usd(prices.cache_read),
        output_usd=_usd(prices.output),
        context_tokens=sheet.context_window_tokens,
        modalities=sheet.modalities,
        is_retired=sheet.is_retired,
        layer=row.layer,
        source=row.source,
        as_of=row.as_of,
        rival_count=len(disagreements(sheet, at)),
        notes=bill.notes,
    )


def _usd(micro: int | None) -> float | None:
    return None if micro is None else micro / MICRO


def take(known: Mapping[str, PriceSheet]) -> list[Problem]:
    """Takes the page's inputs from the address; what had to be corrected."""
    providers = sorted({sheet.provider_id for sheet in known.values()})
    keys = list(known)
    fields = (
        address.Field(key="mp_scope", kind="choice", default="makers", options=SCOPES),
        address.Field(key="mp_status", kind="choice", default="alive", options=STATUSES),
        address.Field(key="mp_modality", kind="choice", default="chat", options=MODALITIES),
        address.Field(key="mp_context", kind="choice", default="0", options=CONTEXTS),
        address.Field(key="mp_providers", kind="choices", default=[], options=providers),
        address.Field(key="mp_cap", kind="float", default=None, low=0, high=1e12),
        address.Field(
            key="mp_compare", kind="choices", default=[key for key in SHORTLIST if key in known], options=keys
        ),
        address.Field(key="mp_view", kind="choice", default="side", options=VIEWS),
        address.Field(key="mp_component", kind="choice", default="output", options=COMPONENTS),
    )
    problems = address.bind(fields)[1]
    # An address may name more models than the widget takes.
    st.session_state["mp_compare"] = st.session_state["mp_compare"][:MAX_SHORTLIST]
    return problems


def field_labels() -> dict[str, str]:
    """The name of each field of `take`, for the sentence about one that was corrected."""
    names = {"compare": "shortlist", "context": "context_least"}
    fields = ("scope", "status", "modality", "context", "providers", "cap", "compare", "view", "component")
    return {f"mp_{name}": tr(f"model_prices.{names.get(name, name)}") for name in fields}


def passing(known: Mapping[str, PriceSheet]) -> list[str]:
    """The models that pass the page's filters, the cap on the bill aside: only these are priced."""
    chosen = st.session_state
    providers = set(chosen["mp_providers"])
    if not providers and chosen["mp_scope"] == "makers":
        providers = set(CHAT_MAKERS)
    least, status, modality = int(chosen["mp_context"]), chosen["mp_status"], chosen["mp_modality"]
    return [
        key
        for key, one in known.items()
        if (not providers or one.provider_id in providers)
        and (status == "any" or one.is_retired == (status == "retired"))
        and (least == 0 or (one.context_window_tokens or 0) >= least)
        and _serves(one, modality)
    ]


def selectable(known: Mapping[str, PriceSheet]) -> list[str]:
    """What the shortlist offers: the makers' models, or everyone's with that filter, and what is on it already.

    Two thousand names on every rerun would be most of what the browser is sent.
    """
    if st.session_state["mp_scope"] == "all":
        return list(known)
    chosen = set(st.session_state["mp_compare"]) | set(SHORTLIST)
    return [key for key, one in known.items() if one.provider_id in CHAT_MAKERS or key in chosen]


def under_cap(found: Sequence[Bill]) -> list[Bill]:
    """The bills up to the page's cap."""
    cap = st.session_state["mp_cap"]
    return [one for one in found if cap is None or one.usd_per_month <= cap]


def _serves(one: PriceSheet, modality: str) -> bool:
    if modality == "chat":
        return SINGLE_PURPOSE.search(one.key.lower()) is None
    return modality == "any" or modality in one.modalities


def shortlist(workload: Workload) -> list[Bill]:
    """Bills of the chosen models, the cheapest first."""
    return bills(workload, list(st.session_state["mp_compare"][:MAX_SHORTLIST]))


@st.cache_resource(show_spinner=False, max_entries=2)
def _labels(_version: str, version: str) -> Mapping[str, str]:
    return {key: f"{one.name or one.model_id} · {one.provider_id}" for key, one in sheets().items()}


def labels() -> Mapping[str, str]:
    """How each model is called in lists: its name and its provider."""
    version = catalog().llm.version
    return _labels(version, version)


def label(key: str) -> str:
    """How one model is called in lists; the key itself for one that is not known."""
    return labels().get(key, key)


def as_row(one: Bill) -> dict[str, Any]:
    """A bill as a row of the page's table."""
    return {
        "name": one.name,
        "provider": one.provider_id,
        "usd_per_month": one.usd_per_month,
        "blended": one.blended_usd_per_mtok,
        "input": one.input_usd,
        "cached": one.cached_usd,
        "output": one.output_usd,
        "context": one.context_tokens,
        "age": widgets.age_text(one.as_of, now().date()),
        "layer": tr(f"model_prices.layer_{one.layer}"),
        "rivals": tr("model_prices.rivals_yes", count=one.rival_count) if one.rival_count else "",
        "status": tr("model_prices.status_retired") if one.is_retired else "",
        "notes": " ".join(tr(f"model_prices.note_{note}") for note in one.notes),
    }
