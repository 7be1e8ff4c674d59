"""What did an answer take: model, tokens, cost and times in one line, and every attempt as a step?"""

from __future__ import annotations

import streamlit as st

from core.gateway import Attempt
from core.gateway.diagnosis import diagnose
from core.money import usd_from_pico
from pages.parts import widgets
from pages.parts.playground_stream import Turn
from pages.parts.state import fmt, tr


def facts(turn: Turn) -> str:
    """Model, tokens, cost and times of an answer in one line."""
    reply, show = turn.reply, fmt()
    if reply is None:
        return ""
    usage = reply.usage
    parts = [f"**{widgets.plain(turn.model)}**"]
    if usage is not None:
        parts.append(
            tr("playground.tokens", input=show.number(usage.input_tokens), output=show.number(usage.output_tokens))
        )
    parts.append(cost_text(reply.pico_usd, is_lower_bound=reply.is_lower_bound))
    if reply.ttft_ms is not None:
        parts.append(tr("playground.ttft", ms=show.number(reply.ttft_ms)))
    speed = tokens_per_s(reply.attempts[-1]) if reply.attempts else None
    if speed is not None:
        parts.append(tr("playground.speed", rate=show.number(speed, 1)))
    return " · ".join(parts).replace("$", r"\$")


def cost_text(pico_usd: int | None, *, is_lower_bound: bool) -> str:
    """A cost; at least this much when it may have been more, unknown when nobody said."""
    if pico_usd is None:
        return tr("playground.cost_unknown")
    return ("≥ " if is_lower_bound else "") + fmt().money(usd_from_pico(pico_usd))


def tokens_per_s(attempt: Attempt) -> float | None:
    """Output tokens per second from the first to the last token; None without figures."""
    if attempt.usage is None or attempt.usage.output_tokens is None or attempt.ttft_ms is None:
        return None
    seconds = (attempt.latency_ms - attempt.ttft_ms) / 1000
    return attempt.usage.output_tokens / seconds if seconds > 0.001 else None


def show_trace(turn: Turn) -> None:
    """The attempts as steps: endpoint, status, time, tokens, cost, and why it moved on."""
    attempts = turn.attempts
    if not attempts:
        return
    is_good = turn.ending == "ok"
    label = tr("playground.trace_one" if len(attempts) == 1 else "playground.trace", count=len(attempts))
    with st.status(label, state="complete" if is_good else "error", type="compact", expanded=len(attempts) > 1):
        for number, attempt in enumerate(attempts, 1):
            is_whole, has_moved = attempt.outcome == "ok", number < len(attempts)
            text = step_text(attempt, has_moved=has_moved)
            st.status(text, state="complete" if is_whole else "error", type="step")


def step_text(attempt: Attempt, *, has_moved: bool) -> str:
    """One attempt in one line; `has_moved` says that another one followed."""
    show = fmt()
    parts = [f"**{attempt.model_asked}** ({attempt.endpoint})"]
    if attempt.error is None:
        parts.append(tr("playground.step_ok"))
    else:
        parts.append(tr(diagnose(attempt.error).title_key))
    if attempt.status_code is not None and attempt.error is not None:
        parts.append(f"HTTP {attempt.status_code}")
    if attempt.error is not None and attempt.error.retry_after_s:
        parts.append(tr("playground.step_wait", seconds=show.number(attempt.error.retry_after_s)))
    parts.append(tr("playground.step_time", ms=show.number(attempt.latency_ms)))
    if attempt.ttft_ms is not None:
        parts.append(tr("playground.ttft", ms=show.number(attempt.ttft_ms)))
    parts.append(cost_text(attempt.pico_usd, is_lower_bound=attempt.is_lower_bound and attempt.pico_usd is not None))
    if has_moved:
        parts.append(tr("playground.step_moved"))
    return " · ".join(parts).replace("$", r"\$")
