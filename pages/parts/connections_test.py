"""Does an endpoint work right now? Each step to an answer, where it stops and what to do, and its models."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait

import streamlit as st

from core.gateway import CheckResult, Step
from core.gateway.check import STEPS, StepName
from core.gateway.demo import ENDPOINT_PREFIX
from core.gateway.diagnosis import diagnose
from pages.parts import connections_data, gateway, tables, widgets
from pages.parts.connections_guide import show_diagnosis
from pages.parts.connections_models import compare
from pages.parts.state import catalog, fmt, tr
from pages.parts.tables import Column

ENDPOINT, MODEL, RESULT = "connections_endpoint", "connections_model", "_connections_result"
MAX_MODEL_CHARS = 200
TICK_S = 0.2
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
        result = _test(endpoint.name, str(model).strip()[:MAX_MODEL_CHARS])
        st.session_state[RESULT] = (result, endpoint.provider_id)
    found_last: tuple[CheckResult, str] | None = st.session_state.get(RESULT)
    if found_last is None:
        return
    if found_last[0].endpoint == endpoint.name:
        _show(*found_last)
    else:
        # It would stand under the name of another endpoint.
        del st.session_state[RESULT]


def _test(endpoint: str, model: str) -> CheckResult:
    """Tests beside the drawing, and says meanwhile which steps are done and for how long it has been waiting."""
    taken: dict[StepName, Step] = {}
    pool, began = ThreadPoolExecutor(1, "check"), time.monotonic()
    done = pool.submit(gateway.gateway().check, endpoint, model, tell=lambda step: taken.update({step.name: step}))
    # Whoever leaves meanwhile does not wait for it.
    pool.shutdown(wait=False)
    label, shown = tr("connections.testing"), ("", "")
    place = st.empty()
    with place.status(label, type="compact", expanded=True) as status:
        lines = st.empty()
        while not done.done():
            wait([done], timeout=TICK_S)
            now = (
                f"{label} · {tr('connections.test_s', seconds=fmt().number(int(time.monotonic() - began)))}",
                "  \n".join(_line(taken[name]) for name in STEPS if name in taken),
            )
            if now != shown:
                shown = now
                status.update(label=now[0], expanded=True)
                lines.markdown(now[1])
    place.empty()
    return done.result()


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
