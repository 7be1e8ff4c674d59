"""Which of up to four models answers one prompt best, fastest, cheapest?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.gateway import Message
from core.money import usd_from_pico
from pages.parts import tables, widgets
from pages.parts.playground_chat import COMING, begin, note_text, show_stop, show_text
from pages.parts.playground_inputs import Choice
from pages.parts.playground_stream import Turn, follow
from pages.parts.playground_text import safe_markdown
from pages.parts.playground_trace import facts, tokens_per_s
from pages.parts.state import tr
from pages.parts.tables import Column

LANES, VOTES, PROMPT = "_playground_lanes", "_playground_votes", "_playground_side_prompt"


def lanes() -> list[Turn]:
    """The answers of the last comparison; those that were interrupted are closed and marked here."""
    found: list[Turn] = st.session_state.setdefault(LANES, [])
    for turn in found:
        if turn.ending == "running":
            turn.stop()
    return found


def comparison() -> list[Turn]:
    """The last comparison as turns: its prompt, then every answer; empty without one."""
    found = lanes()
    return [Turn(role="user", text=st.session_state[PROMPT]), *found] if found else []


def votes() -> dict[str, int]:
    """How often each model was called the best in this visit."""
    found: dict[str, int] = st.session_state.setdefault(VOTES, {})
    return found


def compare(prompt: str, chosen: Sequence[Choice]) -> None:
    """Sends one prompt to every model at once and draws all answers while they come."""
    st.session_state[PROMPT] = prompt
    sent = [Message(role="user", content=prompt)]
    started = [begin(Turn(role="assistant", chain=(one.label,)), sent, [one]) for one in chosen]
    st.session_state[LANES] = started
    places: dict[Turn, tuple[Any, Any]] = {}
    with st.container(key=COMING):
        with st.chat_message("user"):
            st.markdown(safe_markdown(prompt))
        for turn, column in zip(started, st.columns(len(started)), strict=True):
            with column.container(border=True):
                st.markdown(f"**{widgets.plain(turn.chain[0])}**")
                places[turn] = (st.empty(), st.empty())
                places[turn][1].caption(note_text(turn))
        show_stop()

    def paint(turn: Turn) -> None:
        text, note = places[turn]
        if turn.ending != "running":
            # It has ended and says so, while others are still written.
            with text.container():
                show_text(turn)
            note.caption(facts(turn))
            return
        if turn.text:
            text.markdown(safe_markdown(turn.text))
        note.caption(note_text(turn))

    def tick() -> None:
        for turn in started:
            if turn.ending == "running":
                places[turn][1].caption(note_text(turn))

    follow(started, paint, tick=tick)


def show() -> None:
    """The last comparison: answers beside each other with a vote, and the table of figures."""
    found = lanes()
    if not found:
        widgets.show_empty(tr("playground.side_empty_title"), tr("playground.side_empty_body"))
        return
    with st.container(key="playground_latest"):
        show_lanes(found)
    table(found)


def show_lanes(found: Sequence[Turn]) -> None:
    """The prompt, and every answer with a vote."""
    with st.chat_message("user"):
        st.markdown(safe_markdown(st.session_state.get(PROMPT, "")))
    for number, (turn, column) in enumerate(zip(found, st.columns(len(found)), strict=True)):
        with column.container(border=True):
            st.markdown(f"**{widgets.plain(turn.chain[0])}**")
            show_text(turn)
            if turn.reply is not None:
                st.caption(facts(turn))
            st.button(
                tr("playground.vote", count=votes().get(turn.chain[0], 0)), key=f"playground_vote_{number}",
                icon=":material/thumb_up:", on_click=_vote, args=(turn.chain[0],), disabled=not turn.text,
            )  # fmt: skip


def _vote(label: str) -> None:
    votes()[label] = votes().get(label, 0) + 1


def table(found: Sequence[Turn]) -> None:
    """Time to first token, speed, tokens, cost and votes of each answer."""
    rows = [_row(turn) for turn in found]
    columns = [
        Column(field="model", label=tr("playground.model"), pinned=True),
        Column(field="outcome", label=tr("playground.outcome")),
        Column(field="ttft", label=tr("playground.first_token"), kind="number", unit="ms"),
        Column(field="speed", label=tr("playground.rate"), kind="number", unit="tok/s", digits=1),
        Column(field="input", label=tr("playground.input_tokens"), kind="number"),
        Column(field="output", label=tr("playground.output_tokens"), kind="number"),
        Column(field="cost", label=tr("playground.cost"), kind="money", digits=6),
        Column(field="votes", label=tr("playground.votes"), kind="number"),
    ]
    tables.table(rows, columns, key="playground_table", alt=tr("playground.table_alt"), height="content")
    tables.download(rows, columns, key="playground_csv", file_stem="comparison")


def _row(turn: Turn) -> Mapping[str, Any]:
    last = turn.attempts[-1] if turn.attempts else None
    usage = last.usage if last else None
    return {
        "model": turn.chain[0],
        "outcome": tr(f"playground.outcome_{turn.ending}"),
        "ttft": last.ttft_ms if last else None,
        "speed": tokens_per_s(last) if last else None,
        "input": usage.input_tokens if usage else None,
        "output": usage.output_tokens if usage else None,
        "cost": float(usd_from_pico(last.pico_usd)) if last and last.pico_usd is not None else None,
        "votes": votes().get(turn.chain[0], 0),
    }
