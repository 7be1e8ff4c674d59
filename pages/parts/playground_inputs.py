"""What is asked of which models: chain, settings, keys and faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.gateway import ChatRequest, Endpoint, Message, Target
from core.gateway.demo import ENDPOINT_PREFIX, FAULTS
from core.gateway.demo_answers import MODELS
from core.workload import Problem
from pages.parts import address, gateway, number_field
from pages.parts.state import settings as server_settings
from pages.parts.state import tr

CHAIN, SIDE, MODE = "playground_chain", "playground_side", "playground_mode"
MODES = ("chat", "side")
MAX_CHAIN = 6
MAX_SIDE = 4
MAX_STOPS = 4
DEFAULT_MAX_TOKENS = 500
CAP_USD = 1.0
CAP_USD_MAX = 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One model at one endpoint."""

    endpoint: Endpoint
    model: str

    @property
    def is_simulated(self) -> bool:
        return self.endpoint.name.startswith(ENDPOINT_PREFIX)

    @property
    def target(self) -> Target:
        return Target(endpoint=self.endpoint.name, model=self.model)

    @property
    def label(self) -> str:
        seller = tr("playground.simulated") if self.is_simulated else gateway.label_of(self.endpoint.name)
        return f"{self.model} · {seller}"


def choices() -> dict[str, Choice]:
    """Every model this visit can call, by `endpoint/model`."""
    return {
        f"{endpoint.name}/{model}": Choice(endpoint=endpoint, model=model)
        for endpoint in gateway.endpoints()
        for model in gateway.models_of(endpoint)
    }


def take(known: Mapping[str, Choice]) -> list[Problem]:
    """Reads mode and models from the address."""
    demo = [name for name in known if name.startswith(ENDPOINT_PREFIX)]
    different = [name for name in demo if "-mini" not in name][:MAX_SIDE]
    mixed = [f"{ENDPOINT_PREFIX}openai/gpt-4.1", f"{ENDPOINT_PREFIX}anthropic/claude-sonnet-4-5"]
    mixed.append(f"{ENDPOINT_PREFIX}google/gemini-2.5-flash")
    fields = (
        address.Field(key=MODE, kind="choice", default="chat", options=MODES, named=_mode),
        address.Field(key=CHAIN, kind="choices", default=mixed, options=list(known)),
        address.Field(key=SIDE, kind="choices", default=different, options=list(known)),
    )
    return address.bind(fields)[1]


def _mode(mode: str) -> str:
    return tr(f"playground.mode_{mode}")


def labels() -> dict[str, str]:
    """The name of each field of `take`, for the sentence about one that was corrected."""
    return {MODE: tr("playground.mode"), CHAIN: tr("playground.chain"), SIDE: tr("playground.side")}


def draw(known: Mapping[str, Choice]) -> None:
    """Mode, models in order, and the popovers."""
    modes = {mode: _mode(mode) for mode in MODES}
    st.segmented_control(
        tr("playground.mode"), MODES, key=MODE, format_func=modes.__getitem__, required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    is_side = st.session_state[MODE] == "side"
    names = {name: choice.label for name, choice in known.items()}
    st.multiselect(
        tr("playground.side" if is_side else "playground.chain"), list(known), key=SIDE if is_side else CHAIN,
        format_func=names.__getitem__, max_selections=MAX_SIDE if is_side else MAX_CHAIN,
        help=tr("playground.side_help" if is_side else "playground.chain_help"),
    )  # fmt: skip
    with st.container(horizontal=True, key="playground_tools"):
        with st.popover(tr("playground.settings"), icon=":material/tune:"):
            settings()
        count = len(gateway.demo().control.faults(key=gateway.visit().demo_key))
        with st.popover(
            tr("playground.break_it_on" if count else "playground.break_it", count=count), icon=":material/bolt:",
            key="playground_break",
        ):  # fmt: skip
            faults()
        with st.popover(tr("playground.keys"), icon=":material/key:"):
            keys()


def settings() -> None:
    """System prompt, temperature, length, stop sequences and cap; kept for this visit, never in the address."""
    st.text_area(
        tr("playground.system"), key="playground_system", max_chars=20_000, height=90, persist_state="session"
    )  # fmt: skip
    st.slider(
        tr("playground.temperature"), 0.0, 2.0, 0.7, 0.1, key="playground_temperature", persist_state="session"
    )  # fmt: skip
    number_field.number_field(
        tr("playground.max_tokens"), 1, 128_000, value=float(DEFAULT_MAX_TOKENS), step=50, is_whole=True,
        key="playground_max_tokens", persist_state="session",
    )  # fmt: skip
    st.text_area(
        tr("playground.stop"), key="playground_stop", help=tr("playground.stop_help"), max_chars=400, height=70,
        persist_state="session",
    )  # fmt: skip
    most = cap_usd_max()
    number_field.number_field(
        tr("playground.cap"), 0, most, value=min(CAP_USD, most), step=0.5, key="playground_cap",
        help=tr("playground.cap_help"), persist_state="session",
    )  # fmt: skip


def cap_usd_max() -> float:
    """The highest cap a visitor may set: the operator's per session, if there is one."""
    most = server_settings().cap_usd_per_session
    return CAP_USD_MAX if most is None else min(CAP_USD_MAX, float(most))


def faults() -> None:
    """A switch for each simulated model."""
    st.caption(tr("playground.break_help"))
    control = gateway.demo().control
    names = {fault: tr(f"playground.fault_{fault}") for fault in FAULTS}
    current = control.faults(key=gateway.visit().demo_key)
    for model in MODELS:
        key = f"playground_fault_{model.name}"
        st.session_state[key] = current.get(model.name, "none")
        st.selectbox(
            model.name, FAULTS, key=key, format_func=names.__getitem__,
            on_change=_set_fault, args=(model.name, key),
        )  # fmt: skip


def _set_fault(model: str, key: str) -> None:
    # After a change of language the browser may still send a label of the language before: no fault is meant by it.
    if st.session_state[key] in FAULTS:
        gateway.set_fault(model, st.session_state[key])


def keys() -> None:
    """Keys typed for this visit; the fields never show one again."""
    st.caption(tr("playground.keys_help"))
    sellers = gateway.places()
    name = st.selectbox(
        tr("playground.seller"), list(sellers), key="playground_seller", format_func=lambda one: sellers[one].label
    )
    st.text_input(
        tr("playground.key"), key="playground_key", type="password", autocomplete="off", max_chars=400,
        placeholder=tr("playground.key_set") if gateway.session_keys().get(name) else "",
    )  # fmt: skip
    st.button(tr("playground.key_save"), key="playground_key_save", on_click=_save_key)
    problem = st.session_state.pop("_playground_key_problem", None)
    if problem:
        st.error(tr("playground.key_refused"), icon=":material/key_off:")
    if gateway.session_keys():
        named = ", ".join(map(gateway.label_of, gateway.session_keys()))
        st.caption(tr("playground.keys_set", sellers=named))


def _save_key() -> None:
    # Read here: a click right after the typing arrives before a run has seen the text.
    state = st.session_state
    try:
        gateway.set_session_key(state["playground_seller"], state["playground_key"] or "")
    except ValueError:
        st.session_state["_playground_key_problem"] = True
    # The field is emptied, so that the key is in the session's memory only.
    st.session_state["playground_key"] = ""


def request(messages: Sequence[Message]) -> ChatRequest:
    """The messages with the settings of this visit, clamped: a changed browser can send anything."""
    state = st.session_state
    system = str(state.get("playground_system") or "").strip()
    stops = [line for line in str(state.get("playground_stop") or "").splitlines() if line][:MAX_STOPS]
    return ChatRequest(
        messages=[*([Message(role="system", content=system)] if system else []), *messages],
        max_output_tokens=min(max(int(state.get("playground_max_tokens") or DEFAULT_MAX_TOKENS), 1), 128_000),
        temperature=min(max(float(state.get("playground_temperature", 0.7)), 0.0), 2.0),
        stop=tuple(stops),
        session_id=gateway.visit().name,
        user_id=gateway.user_id(),
    )
