"""Through what does this visit send prompts? Its endpoints, simulated models, and the gateway.

A key comes from the server (environment `<NAME>_API_KEY`, or `[keys]` in its secrets) or is typed for this visit; then
it lives in the session's memory only. One loop, its connections, breakers, rate limits and caps serve the whole
process; the endpoints, and with them the keys, are the visit's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.gateway import CallRecord, Endpoint, Gateway
from core.gateway.demo import DemoControl, DemoServer
from core.gateway.runtime import branch
from core.usage.recorder import UsageLog
from pages.parts import gateway_money, offers, state
from pages.parts.gateway_money import sheet_of
from pages.parts.gateway_places import (
    is_on,
    label_of,
    limited,
    own_endpoints,
    places,
    real_endpoints,
    server_key,
    set_session_key,
)
from pages.parts.usage_data import engine
from pages.parts.visit import Visit, user_id, visit

__all__ = [
    "Visit", "demo", "endpoints", "gateway", "is_on", "label_of", "limited", "models_of", "own_endpoints", "places",
    "real_endpoints", "server_key", "session_keys", "set_fault", "set_session_key", "sheet_of", "usage_log", "user_id",
    "visit",
]  # fmt: skip

# What the article names; a reseller's own list is not in the catalog.
HOLYSHEEP_MODELS = ("gpt-4.1", "claude-sonnet-4-20250514", "gemini-2.5-flash", "deepseek-chat-v3.2")


@st.cache_resource(show_spinner=False, on_release=DemoServer.stop)
def _demo_server() -> DemoServer:
    return DemoServer(DemoControl(speed=state.settings().demo_speed))


def demo() -> DemoServer:
    """The simulated upstream of this process, running. Raises OSError, TimeoutError."""
    return _demo_server().start()


def set_fault(model: str, fault: str) -> None:
    """Breaks or heals a simulated model for this visit alone; a healed one is tried at once."""
    control = demo().control
    old = visit().renew_demo()
    kept = dict(control.faults(key=old)) | {model: fault}
    control.heal(key=old)
    for name, wrong in kept.items():
        control.set_fault(name, wrong, key=visit().demo_key)


def _close_log(log: UsageLog) -> None:
    log.close()


@st.cache_resource(show_spinner=False, on_release=_close_log)
def _usage_log(url: str) -> UsageLog:
    return UsageLog(engine(), keep_prompts=state.settings().log_prompts)


def usage_log() -> UsageLog:
    """The log of this process. Raises DatabaseProblem."""
    return _usage_log(state.settings().database_url)


def session_keys() -> Mapping[str, str]:
    """Keys typed in this visit, by endpoint."""
    return visit().keys


def endpoints() -> tuple[Endpoint, ...]:
    """Everything this visit can call: the simulated sellers, then those with a key."""
    return (*demo().endpoints(visit().demo_key), *real_endpoints())


def models_of(endpoint: Endpoint) -> list[str]:
    """Models worth offering: the endpoint's own, else what the catalog knows of its seller, else what it lists."""
    if endpoint.models:
        return list(endpoint.models)
    if endpoint.name == "holysheep":
        return list(HOLYSHEEP_MODELS)
    sheets = state.catalog().llm.sheets().values()
    known = sorted(one.model_id for one in sheets if one.provider_id == endpoint.provider_id and not one.is_retired)
    return known or list(offers.offer_of(visit(), gateway(), endpoint).models)


def _close(trunk: Gateway) -> None:
    trunk.close()


@st.cache_resource(show_spinner=False, on_release=_close)
def _trunk(url: str, redis_url: str | None, caps: tuple[object, ...]) -> Gateway:
    return Gateway((), price=gateway_money.pricer(), caps=gateway_money.caps(), redis_url=redis_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The gateway of one visit, and what it was made of."""

    trunk: Gateway
    endpoints: tuple[Endpoint, ...]
    gateway: Gateway


def gateway() -> Gateway:
    """This visit's gateway over all its endpoints. Raises DatabaseProblem, OSError, TimeoutError."""
    asked = state.settings()
    caps = (asked.cap_usd_per_day, asked.cap_usd_per_user, asked.cap_usd_per_session)
    trunk, log, who, found = _trunk(asked.database_url, asked.redis_url, caps), usage_log(), visit(), endpoints()
    made: Branch | None = who.branch
    if made is None or made.trunk is not trunk or made.endpoints != found:
        named, price = {one.name: one for one in found}, gateway_money.pricer()

        def finished(call: CallRecord) -> None:
            who.settle(call)
            who.allowance.count(gateway_money.uncounted_pico_usd(call, named, price))
            log.record(call)

        made = Branch(
            trunk=trunk, endpoints=found, gateway=branch(trunk, found, on_attempt=log.record, on_call=finished)
        )
        who.branch = made
    return made.gateway
