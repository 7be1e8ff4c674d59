"""Through what does this visit send prompts? Its endpoints, keys, simulated models, spending and gateway.

A key comes from the server (environment `<NAME>_API_KEY`, or `[keys]` in its secrets) or is typed for this visit; then
it lives in the session's memory only. Each visit has a gateway of its own, so that a typed key serves nobody else and
a model broken on purpose is broken for its visitor alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from core.catalog.aliases import UnknownModelError
from core.costs.tokens import PriceError, PriceSheet, TokenUsage, quote
from core.gateway import PRESETS, CallRecord, Endpoint, Gateway, Usage
from core.gateway.demo import ENDPOINT_PREFIX, DemoControl, DemoServer
from core.gateway.desk import Price
from core.usage.recorder import UsageLog
from pages.parts import state
from pages.parts.usage_data import engine

KEYS = "_gateway_keys"
_VISIT = "_gateway_visit"
# What the article names; a reseller's own list is not in the catalog.
HOLYSHEEP_MODELS = ("gpt-4.1", "claude-sonnet-4-20250514", "gemini-2.5-flash", "deepseek-chat-v3.2")


@dataclass
class Visit:
    """What this browser session has: its name for faults and caps, and what it spent (pico-USD, known part)."""

    name: str = field(default_factory=lambda: f"demo-{secrets.token_hex(12)}")
    spent_pico_usd: int = 0
    simulated_pico_usd: int = 0
    generation: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, call: CallRecord) -> None:
        """Adds a finished call; called from the gateway's own thread."""
        with self.lock:
            for attempt in call.attempts:
                if attempt.endpoint.startswith(ENDPOINT_PREFIX):
                    self.simulated_pico_usd += attempt.pico_usd or 0
                else:
                    self.spent_pico_usd += attempt.pico_usd or 0


def visit() -> Visit:
    """This browser session."""
    found: Visit = st.session_state.setdefault(_VISIT, Visit())
    return found


@st.cache_resource(show_spinner=False, on_release=DemoServer.stop)
def _demo_server() -> DemoServer:
    # Faster only in tests, which wait for whole answers.
    speed = float(os.environ.get("BREAKEVEN_DEMO_SPEED") or 1)
    return DemoServer(DemoControl(speed=speed))


def demo() -> DemoServer:
    """The simulated upstream of this process, running. Raises OSError, TimeoutError."""
    return _demo_server().start()


def _close_log(log: UsageLog) -> None:
    log.close()


@st.cache_resource(show_spinner=False, on_release=_close_log)
def _usage_log(url: str) -> UsageLog:
    return UsageLog(engine(), keep_prompts=state.settings().log_prompts)


def usage_log() -> UsageLog:
    """The log of this process. Raises DatabaseProblem."""
    return _usage_log(state.settings().database_url)


def server_key(name: str) -> str:
    """The key the operator set for a preset, "" without one."""
    variable = f"{name.upper()}_API_KEY"
    if os.environ.get(variable):
        return os.environ[variable]
    try:
        kept = st.secrets.to_dict()
    except (FileNotFoundError, st.errors.StreamlitSecretNotFoundError):
        return ""
    keys = kept.get("keys")
    found = kept.get(variable) or (keys.get(name) if isinstance(keys, Mapping) else "")
    return str(found or "")


def session_keys() -> dict[str, str]:
    """Keys typed in this visit, by preset."""
    found: dict[str, str] = st.session_state.setdefault(KEYS, {})
    return found


def set_session_key(name: str, key: str) -> None:
    """Keeps a typed key for this visit, or forgets it when empty. ValueError when it cannot be one."""
    key = key.strip()
    if not key:
        session_keys().pop(name, None)
        return
    PRESETS[name].endpoint(key)
    if any(sign.isspace() for sign in key):
        raise ValueError("api_key: it holds a blank or a line break; copy it again.")
    session_keys()[name] = key


def real_endpoints() -> tuple[Endpoint, ...]:
    """Endpoints with a key, the visit's own first. A key of the server that cannot be one is left out."""
    found = []
    for name, preset in PRESETS.items():
        key = session_keys().get(name) or server_key(name)
        is_wanted_local = not preset.needs_key and os.environ.get(f"{name.upper()}_ENABLED") == "1"
        if key or is_wanted_local:
            try:
                found.append(preset.endpoint(key))
            except ValueError:
                continue
    return tuple(found)


def endpoints() -> tuple[Endpoint, ...]:
    """Everything this visit can call: the simulated sellers, then those with a key."""
    return (*demo().endpoints(visit().name), *real_endpoints())


def models_of(endpoint: Endpoint) -> list[str]:
    """Models worth offering at an endpoint: its own list, else what the catalog knows of its seller."""
    if endpoint.models:
        return list(endpoint.models)
    if endpoint.name == "holysheep":
        return list(HOLYSHEEP_MODELS)
    sheets = state.catalog().llm.sheets().values()
    return sorted(one.model_id for one in sheets if one.provider_id == endpoint.provider_id and not one.is_retired)


def sheet_of(provider_id: str, model: str) -> PriceSheet | None:
    """The prices of a model as its seller names it; a reseller's models have the maker's list price."""
    prices = state.catalog().llm
    for name in (f"{provider_id}/{model}", model):
        try:
            return prices.sheet(name)
        except UnknownModelError:
            continue
    return None


def _pricer() -> Price:
    catalog = state.catalog()

    def price(endpoint: Endpoint, model: str, usage: Usage, at: dt.datetime) -> int | None:
        """Pico-USD of a usage by the seller's list price, None when there is none."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        tokens = TokenUsage(
            input_tokens=usage.input_tokens,
            cached_input_tokens=usage.cached_input_tokens or 0,
            cache_write_5m_tokens=usage.cache_write_5m_tokens or 0,
            cache_write_1h_tokens=usage.cache_write_1h_tokens or 0,
            output_tokens=usage.output_tokens,
        )
        for name in (f"{endpoint.provider_id}/{model}", model):
            try:
                return quote(catalog.llm.sheet(name), tokens, at).pico_usd
            except (UnknownModelError, PriceError, ValueError):
                continue
        return None

    return price


def _close(gateway: Gateway) -> None:
    gateway.close()


@st.cache_resource(show_spinner=False, scope="session", on_release=_close, max_entries=2)
def _gateway(_fingerprint: str) -> Gateway:
    log, who = usage_log(), visit()

    def finished(call: CallRecord) -> None:
        who.settle(call)
        log.record(call)

    return Gateway(
        endpoints(), on_attempt=log.record, on_call=finished, price=_pricer(), redis_url=state.settings().redis_url
    )


def gateway() -> Gateway:
    """This visit's gateway over all its endpoints. Raises DatabaseProblem, OSError."""
    parts = [f"{one.name} {one.base_url} {one.api_key}" for one in endpoints()] + [str(visit().generation)]
    return _gateway(hashlib.blake2b("\n".join(parts).encode(), key=_SALT, digest_size=12).hexdigest())


def renew() -> None:
    """The next call gets a gateway that remembers no failures."""
    visit().generation += 1


_SALT = secrets.token_bytes(16)
