"""Does an endpoint work right now? Each step to an answer, where it stops and what to do, and its models."""

from __future__ import annotations

import streamlit as st

from core.gateway import CheckResult, Step
from core.gateway.demo import ENDPOINT_PREFIX
from core.gateway.diagnosis import diagnose
from pages.parts import connections_data, gateway, tables, widgets
from pages.parts.connections_guide import show_diagnosis
from pages.parts.connections_models import compare
from pages.parts.state import catalog, fmt, tr
from pages.parts.tables import Column

ENDPOINT, MODEL, RESULT = "connections_endpoint", "connections_model", "_connections_result"
MAX_MODEL_CHARS = 200
ICONS = {"ok": "check", "failed": "close", "skipped": "remove", "not_needed": "remove"}


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
        # A server of one's own has models that no catalog knows.
        model = st.selectbox(
            tr("connections.test_model"), gateway.models_of(endpoint), key=f"{MODEL}_{endpoint.name}",
            width=320, accept_new_options=True, placeholder=tr("connections.test_model_hint"),
        )  # fmt: skip
        is_asked = st.button(tr("connections.test_now"), key="connections_test", icon=":material/play_arrow:")
    if is_asked and not str(model or "").strip():
        st.warning(tr("connections.test_model_missing"), icon=":material/edit:")
    elif is_asked:
        with st.spinner(tr("connections.testing")):
            result = gateway.gateway().check(endpoint.name, str(model).strip()[:MAX_MODEL_CHARS])
            st.session_state[RESULT] = (result, endpoint.provider_id)
    if RESULT in st.session_state:
        _show(*st.session_state[RESULT])


def _show(result: CheckResult, provider_id: str) -> None:
    name = widgets.plain(result.endpoint)
    if result.is_working:
        st.success(tr("connections.test_ok", name=name), icon=":material/check:")
    else:
        st.error(tr("connections.test_failed", name=name), icon=":material/error:")
    st.markdown("  \n".join(_line(step) for step in result.steps))
    if result.stop is not None and result.stop.error is not None:
        show_diagnosis(diagnose(result.stop.error))
    if result.models is not None:
        _show_models(result.endpoint, provider_id, result.models)


def _line(step: Step) -> str:
    time = "" if step.seconds is None else f" · {_ms(step.seconds * 1_000)} ms"
    state = tr(f"connections.step_{step.status}")
    return f":material/{ICONS[step.status]}: **{tr(f'connections.step_{step.name}')}** {state}{time}"


def _ms(milliseconds: float) -> str:
    return fmt().number(milliseconds, 0 if milliseconds >= 10 else 1)


def _show_models(endpoint: str, provider_id: str, models: tuple[str, ...]) -> None:
    states = compare(models, provider_id, catalog().llm.sheets())
    if endpoint.startswith(ENDPOINT_PREFIX):
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
