"""How does a conversation look: its turns, what each attempt did, and what can be done with half an answer?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from core.gateway import Attempt, GatewayError, Message
from core.gateway.diagnosis import diagnose
from core.money import usd_from_pico
from pages.parts import gateway, widgets
from pages.parts.playground_inputs import Choice, request
from pages.parts.playground_money import cap_text, reserve
from pages.parts.playground_stream import Turn, follow
from pages.parts.playground_text import safe_markdown
from pages.parts.state import fmt, tr

TURNS, NEXT = "_playground_turns", "_playground_next"
MAX_TURNS = 200


def turns() -> list[Turn]:
    """The conversation of this visit. An answer that was interrupted is closed and marked here."""
    found: list[Turn] = st.session_state.setdefault(TURNS, [])
    for turn in found:
        if turn.ending == "running":
            turn.stop()
    del found[:-MAX_TURNS]
    return found


def messages(conversation: Sequence[Turn]) -> list[Message]:
    """What is sent: every turn with text."""
    return [Message(role=turn.role, content=turn.text) for turn in conversation if turn.text.strip()]


def show_history(conversation: Sequence[Turn], known: Mapping[str, Choice]) -> None:
    """All turns; the last answer, when it is not whole, with a button that goes on."""
    for number, turn in enumerate(conversation):
        with st.chat_message(turn.role):
            if turn.role == "user":
                st.markdown(safe_markdown(turn.text))
                continue
            show_answer(turn)
            if number == len(conversation) - 1:
                show_next(turn, known)


def show_answer(turn: Turn) -> None:
    """An answer with what it was and what it took."""
    show_text(turn)
    if turn.ending in {"ok", "partial"}:
        st.caption(facts(turn))
    show_trace(turn)


def show_text(turn: Turn) -> None:
    """What was answered, and why that is not all."""
    if turn.text:
        st.markdown(safe_markdown(turn.text))
    if turn.error is not None and turn.ending == "error":
        show_error(turn.error)
    elif turn.ending in {"partial", "cancelled"}:
        st.warning(tr(f"playground.ending_{turn.ending}"), icon=":material/content_cut:")


def show_error(error: GatewayError) -> None:
    """One clear reason and what to do, in the reader's language; a cap that was reached is a stop, no fault."""
    if error.kind == "spending_cap":
        st.warning(cap_text(error), icon=":material/front_hand:")
        return
    found = diagnose(error)
    text = f"**{tr(found.title_key)}.** {tr(found.cause_key)} {tr(found.remedy_key)}"
    if found.suggestions:
        text += " " + tr("playground.suggestions", names=widgets.plain(", ".join(found.suggestions)))
    st.error(text, icon=":material/error:")


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
        for attempt in attempts:
            is_whole = attempt.outcome == "ok"
            st.status(step_text(attempt), state="complete" if is_whole else "error", type="step")


def step_text(attempt: Attempt) -> str:
    """One attempt in one line."""
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
    if attempt.outcome == "error":
        parts.append(tr("playground.step_moved"))
    return " · ".join(parts).replace("$", r"\$")


def rest_of_chain(turn: Turn) -> tuple[str, ...]:
    """The models of the chain after the one that was tried last."""
    tried = {f"{one.endpoint}/{one.model_asked}" for one in turn.attempts}
    places = [place for place, name in enumerate(turn.chain) if name in tried]
    return turn.chain[(max(places) if places else 0) + 1 :]


def show_next(turn: Turn, known: Mapping[str, Choice]) -> None:
    """Buttons under an answer that is not whole: go on with the next model, or ask again."""
    if turn.ending in {"ok", "running"}:
        return
    rest = tuple(name for name in rest_of_chain(turn) if name in known)
    with st.container(horizontal=True):
        if rest:
            st.button(
                tr("playground.continue" if turn.text else "playground.try_next", model=known[rest[0]].model),
                key="playground_continue", icon=":material/arrow_forward:", on_click=_next, args=(turn, rest, True),
            )  # fmt: skip
        chain = tuple(name for name in turn.chain if name in known)
        if chain:
            st.button(
                tr("playground.again"), key="playground_again", icon=":material/refresh:", on_click=_next,
                args=(turn, chain, False),
            )  # fmt: skip


def _next(turn: Turn, chain: tuple[str, ...], goes_on: bool) -> None:
    conversation = turns()
    if turn in conversation and not (goes_on and turn.text):
        # Asking again replaces the answer; what it cost stays counted.
        conversation.remove(turn)
    st.session_state[NEXT] = (chain, goes_on and bool(turn.text))


def send(conversation: list[Turn], chain: Sequence[str], known: Mapping[str, Choice], *, goes_on: bool) -> Turn:
    """Sends the conversation along the chain; the answer under way is its last turn."""
    sent = messages(conversation)
    if goes_on:
        sent.append(Message(role="user", content=tr("playground.go_on_prompt")))
    turn = begin(Turn(role="assistant", chain=tuple(chain)), sent, [known[name] for name in chain])
    conversation.append(turn)
    return turn


def show_coming(turn: Turn) -> None:
    """Draws an answer under way while it comes."""
    with st.chat_message("assistant"):
        text, note = st.empty(), st.empty()
        note.caption(tr("playground.waiting", model=widgets.plain(turn.model)))
        steps = st.container()
        show_stop()
        shown: list[Attempt] = []

        def paint(changed: Turn) -> None:
            if changed.text:
                text.markdown(safe_markdown(changed.text))
            for attempt in changed.attempts[len(shown) :]:
                shown.append(attempt)
                if attempt.outcome != "ok":
                    steps.status(step_text(attempt), state="error", type="step")
            key = "writing" if changed.text else "thinking" if changed.is_thinking else "waiting"
            note.caption(tr(f"playground.{key}", model=widgets.plain(changed.model)))

        follow([turn], paint, tick=lambda: note.caption(tr("playground.waiting", model=widgets.plain(turn.model))))


def show_stop() -> None:
    """A button whose click reruns the page: that interrupts the answer, closes its connection and marks it.

    The stop of Streamlit's own chat field ends the script without another run, so nothing would say that it ended.
    """
    st.button(tr("playground.stop_now"), key="playground_stop_now", icon=":material/stop_circle:")


def begin(turn: Turn, sent: Sequence[Message], chain: Sequence[Choice]) -> Turn:
    """Starts one answer; a refusal before anything is sent becomes the turn's error."""
    turn.ending, turn.model = "running", chain[0].model
    turn.began = time.perf_counter()
    asked = request(sent)
    try:
        turn.release = reserve(chain, asked)
        turn.stream = gateway.gateway().stream(asked, [one.target for one in chain])
    except GatewayError as error:
        turn.error, turn.ending = error, "error"
        turn.stop()
    return turn
