"""Which models does the page show: its filters, its shortlist, and how models are called?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import streamlit as st

from core.catalog.aliases import CHAT_MAKERS
from core.costs.tokens import PriceSheet
from core.workload import Problem, Workload
from pages.parts import address
from pages.parts.model_prices_bills import Bill, bills, sheets
from pages.parts.state import catalog, fmt, tr

SHORTLIST = (
    "google/gemini-2.5-flash", "openai/gpt-4.1", "anthropic/claude-sonnet-4-6", "deepseek/deepseek-v4-flash",
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


def take(known: Mapping[str, PriceSheet]) -> list[Problem]:
    """Takes the page's inputs from the address; what had to be corrected."""
    providers = sorted({sheet.provider_id for sheet in known.values()})
    keys = list(known)
    fields = (
        _choice("scope", "makers", SCOPES),
        _choice("status", "alive", STATUSES),
        _choice("modality", "chat", MODALITIES),
        address.Field(key="mp_context", kind="choice", default="0", options=CONTEXTS, named=context_text),
        address.Field(key="mp_providers", kind="choices", default=[], options=providers),
        address.Field(key="mp_cap", kind="float", default=None, low=0, high=1e12),
        address.Field(
            key="mp_compare", kind="choices", default=[key for key in SHORTLIST if key in known], options=keys
        ),
        _choice("view", "side", VIEWS),
        _choice("component", "output", COMPONENTS),
    )
    problems = address.bind(fields)[1]
    # An address may name more models than the widget takes.
    st.session_state["mp_compare"] = st.session_state["mp_compare"][:MAX_SHORTLIST]
    return problems


def _choice(name: str, default: str, options: Sequence[str]) -> address.Field:
    """A choice whose options are called `model_prices.<name>_<option>`."""
    return address.Field(
        key=f"mp_{name}", kind="choice", default=default, options=options,
        named=lambda one: tr(f"model_prices.{name}_{one}"),
    )  # fmt: skip


def context_text(tokens: str) -> str:
    """One of `CONTEXTS` as the page calls it."""
    return tr("model_prices.any") if tokens == "0" else f"≥ {fmt().compact(int(tokens))}"


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
