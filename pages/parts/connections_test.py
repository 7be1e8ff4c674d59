"""Does an endpoint work right now? Its list of models, then one short call, and what to do when one fails."""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from core.gateway import ChatRequest, Endpoint, Gateway, GatewayError, Target
from core.gateway.demo import ENDPOINT_PREFIX
from core.gateway.diagnosis import diagnose
from pages.parts import connections_data, gateway, tables, widgets
from pages.parts.connections_guide import show_diagnosis
from pages.parts.connections_models import compare
from pages.parts.state import catalog, fmt, tr
from pages.parts.tables import Column

ENDPOINT, MODEL, RESULT = "connections_endpoint", "connections_model", "_connections_result"
PROBE = "Say yes."
# Some models think before their first word and give none within a smaller limit.
PROBE_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a test found; `error` is the first fault, `seconds` the time of the short call."""

    endpoint: str
    provider_id: str
    models: tuple[str, ...] | None
    models_error: GatewayError | None
    call_error: GatewayError | None
    seconds: float | None

    @property
    def error(self) -> GatewayError | None:
        """A call that works is what counts: some endpoints do not list their models."""
        return self.call_error


def show_test() -> None:
    """Picks, tests, and shows the last result of this visit."""
    st.header(tr("connections.test_title"))
    found = {one.name: one for one in connections_data.callable_endpoints()}
    if not found:
        widgets.show_empty(tr("connections.test_title"), tr("connections.test_none"))
        return
    st.caption(tr("connections.test_help"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(tr("connections.test_pick"), list(found), key=ENDPOINT, width=260)
        endpoint = found.get(str(name)) or next(iter(found.values()))
        model = st.selectbox(tr("connections.test_model"), gateway.models_of(endpoint), key=MODEL, width=320)
        is_asked = st.button(tr("connections.test_now"), key="connections_test", icon=":material/play_arrow:")
    if is_asked and model:
        with st.spinner(tr("connections.testing")):
            st.session_state[RESULT] = run_test(gateway.gateway(), endpoint, str(model))
    result: Result | None = st.session_state.get(RESULT)
    if result is not None:
        _show(result)


def run_test(running: Gateway, endpoint: Endpoint, model: str) -> Result:
    """Asks for the list of models, then for one word; both answers or faults are kept."""
    models: tuple[str, ...] | None = None
    models_error: GatewayError | None = None
    call_error: GatewayError | None = None
    try:
        models = tuple(running.models(endpoint.name))
    except GatewayError as error:
        models_error = error
    request = ChatRequest(messages=[{"role": "user", "content": PROBE}], max_output_tokens=PROBE_TOKENS)
    start = time.monotonic()
    try:
        running.chat(request, targets=[Target(endpoint=endpoint.name, model=model)])
    except GatewayError as error:
        call_error = error
    return Result(
        endpoint=endpoint.name,
        provider_id=endpoint.provider_id,
        models=models,
        models_error=models_error,
        call_error=call_error,
        seconds=time.monotonic() - start,
    )


def _show(result: Result) -> None:
    name = widgets.plain(result.endpoint)
    if result.error is None:
        st.success(tr("connections.test_ok", name=name), icon=":material/check:")
    else:
        st.error(tr("connections.test_failed", name=name), icon=":material/error:")
    count = fmt().number(len(result.models)) if result.models is not None else ""
    listed = ":material/check: " + tr("connections.test_step_models", count=count)
    if result.models_error is not None:
        listed = ":material/close: " + tr("connections.test_step_models_failed")
    called = ":material/check: " + tr("connections.test_step_call", seconds=fmt().number(result.seconds, 2))
    if result.call_error is not None:
        called = ":material/close: " + tr("connections.test_step_call_failed")
    st.markdown(f"{listed}  \n{called}")
    if result.error is not None:
        show_diagnosis(diagnose(result.error))
    if result.models is not None:
        _show_models(result, result.models)


def _show_models(result: Result, models: tuple[str, ...]) -> None:
    states = compare(models, result.provider_id, catalog().llm.sheets())
    if result.endpoint.startswith(ENDPOINT_PREFIX):
        # A simulated seller offers a handful on purpose: what it leaves out is not gone.
        states = [one for one in states if one.state != "gone"]
    counts = {state: sum(one.state == state for one in states) for state in ("same", "renamed", "new", "gone")}
    st.markdown(
        "**"
        + tr(
            "connections.models_title", same=counts["same"], count=len(models), renamed=counts["renamed"],
            new=counts["new"],
        )
        + "**"
    )  # fmt: skip
    if counts["gone"]:
        st.caption(tr("connections.models_gone_title", count=counts["gone"]))
    order = {"new": 0, "renamed": 1, "gone": 2, "same": 3}
    rows = [
        {
            "model": one.name or "–",
            "state": tr(f"connections.models_{one.state}"),
            "catalog": one.catalog_name or "–",
        }
        for one in sorted(states, key=lambda one: order[one.state])
    ]
    columns = [
        Column(field="model", label=tr("connections.model"), pinned=True),
        Column(field="state", label=tr("connections.state")),
        Column(field="catalog", label=tr("connections.catalog_name")),
    ]
    tables.table(rows, columns, key="connections_models", alt=tr("connections.test_title"))
