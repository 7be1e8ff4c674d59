"""What does a file of the conversation hold? Texts, models, tokens and costs; never a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.gateway.diagnosis import diagnose
from core.money import usd_from_pico
from pages.parts.playground_stream import Turn
from pages.parts.state import tr


def reason(turn: Turn) -> str:
    """Why there is no answer, or not all of it, in the reader's language; empty for a whole one."""
    if turn.error is not None and turn.ending == "error":
        found = diagnose(turn.error)
        return f"{tr(found.title_key)}. {tr(found.cause_key)}"
    return tr(f"playground.ending_{turn.ending}") if turn.ending in {"partial", "cancelled"} else ""


def export(conversation: Sequence[Turn]) -> list[dict[str, Any]]:
    """The conversation as plain values; never a key."""
    rows = []
    for turn in conversation:
        row: dict[str, Any] = {"role": turn.role, "text": turn.text}
        if turn.role == "assistant":
            reply = turn.reply
            row |= {"model": turn.model, "outcome": turn.ending, "reason": reason(turn)}
            if reply is not None:
                usage = reply.usage
                row |= {
                    "endpoint": reply.endpoint,
                    "input_tokens": usage.input_tokens if usage else None,
                    "output_tokens": usage.output_tokens if usage else None,
                    "cost_usd": None if reply.pico_usd is None else str(usd_from_pico(reply.pico_usd)),
                    "is_lower_bound": reply.is_lower_bound,
                    "latency_ms": round(reply.latency_ms),
                }
            row["attempts"] = [
                {"endpoint": one.endpoint, "model": one.model_asked, "outcome": one.outcome, "error": one.error_kind}
                for one in turn.attempts
            ]
        rows.append(row)
    return rows
