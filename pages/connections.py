"""Which endpoints work, has each a key, and why does my call fail?"""

from __future__ import annotations

import math

import streamlit as st

from core.usage.measure import success_share
from pages.parts import address, connections_data, state, tables, widgets
from pages.parts.connections_data import Line
from pages.parts.connections_guide import TOPIC, field, show_guide
from pages.parts.connections_own import show_more
from pages.parts.connections_test import show_test
from pages.parts.state import fmt, tr
from pages.parts.tables import Column
from pages.parts.workload_bar import workload_bar


@state.block
def page() -> None:
    _, problems = address.bind((field(),))
    workload_bar()
    st.title(tr("connections.title"))
    widgets.show_problems(problems, {TOPIC: tr("connections.guide_pick")})
    lines = connections_data.lines()
    answer(lines)
    lost = connections_data.lost_count()
    if lost:
        st.caption(tr("connections.lost", count=fmt().number(lost)))
    show_guide()
    st.header(tr("connections.endpoints"))
    show_lines(lines)
    show_more()
    show_test()
    st.caption(tr("connections.sources", days=connections_data.DAYS))


def answer(lines: list[Line]) -> None:
    """How many endpoints can be called, how they did, what failed last."""
    ready = [line for line in lines if line.key_state in {"server", "session"}]
    attempts = sum(line.health.attempt_count for line in lines)
    share = success_share([(line.health.ok_count, line.health.attempt_count) for line in lines])
    failed = [line for line in lines if line.health.last_error_at is not None]
    last = max(failed, key=lambda line: str(line.health.last_error_at), default=None)
    with widgets.cards(3):
        widgets.card(
            tr("connections.keys"), fmt().number(len(ready)),
            tr("connections.keys_note", count=sum(line.key_state == "missing" for line in lines)),
        )  # fmt: skip
        widgets.card(
            tr("connections.success"), fmt().percent(share, 1),
            tr("connections.success_note", count=fmt().compact(attempts), days=connections_data.DAYS),
        )  # fmt: skip
        widgets.card(
            tr("connections.last_error"),
            tr(f"diagnosis.{connections_data.topic(last.health.last_error)}_title") if last else tr("connections.none"),
            last.label if last else tr("connections.none_note", days=connections_data.DAYS),
        )


def next_try(line: Line) -> str:
    """When an endpoint that rests is tried again."""
    if line.breaker is None or line.breaker.state == "closed":
        return ""
    if line.breaker.next_try_s is None:
        return tr("connections.next_now")
    return tr("connections.next_in", seconds=fmt().number(math.ceil(line.breaker.next_try_s)))


def show_lines(lines: list[Line]) -> None:
    """Every endpoint with its key's state and its health; never a key."""
    rows = [
        {
            "label": line.label,
            "address": line.base_url or (tr("connections.simulated") if line.is_simulated else "–"),
            "key": tr(f"connections.key_{line.key_state}"),
            "variable": connections_data.setting_of(line),
            "breaker": tr(f"connections.breaker_{line.breaker.state}") if line.breaker else "–",
            "next": next_try(line),
            "attempts": line.health.attempt_count,
            "ok": line.health.ok_share,
            "p50": line.health.p50_ms,
            "error": tr(f"diagnosis.{connections_data.topic(line.health.last_error)}_title")
            if line.health.last_error
            else "",
            "when": line.health.last_error_at.strftime("%Y-%m-%d %H:00 UTC") if line.health.last_error_at else "",
        }
        for line in lines
    ]
    columns = [
        Column(field="label", label=tr("connections.endpoint"), pinned=True, width=112),
        Column(field="key", label=tr("connections.key"), width=120),
        Column(field="variable", label=tr("connections.key_variable"), help=tr("connections.key_help"), width=162),
        Column(field="breaker", label=tr("connections.breaker"), help=tr("connections.breaker_help"), width=90),
        *([Column(field="next", label=tr("connections.next_try"))] if any(row["next"] for row in rows) else []),
        Column(field="attempts", label=tr("connections.attempts"), kind="number", width=75),
        Column(field="ok", label=tr("connections.ok"), kind="share", digits=1, width=120),
        Column(field="p50", label=tr("connections.p50"), kind="number", unit="ms", width=115),
        Column(field="error", label=tr("connections.last_error"), width=168),
        Column(field="when", label=tr("connections.when"), width=158),
        Column(field="address", label=tr("connections.address"), width=230),
    ]
    tables.table(rows, columns, key="connections_endpoints", alt=tr("connections.endpoints"), height="content")


page()
