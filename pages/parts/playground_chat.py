"""How does a conversation look: its turns, what each attempt did, and what can be done with half an answer?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from core.gateway import Attempt, GatewayError, Message
from core.gateway.diagnosis import diagnose
from pages.parts import gateway, widgets
from pages.parts.playground_inputs import Choice, request
from pages.parts.playground_money import cap_text, reserve
from pages.parts.playground_stream import Turn, follow
from pages.parts.playground_text import safe_markdown
from pages.parts.playground_trace import facts, show_trace, step_text
from pages.parts.state import fmt, tr

TURNS, NEXT = "_playground_turns", "_playground_next"
MAX_TURNS = 200
# The container that browser.js brings into view.
COMING = "playground_coming"
# Errors after which the next model of the chain was tried.
TRIED_ON = frozenset({"target", "credential"})


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


def latest(conversation: Sequence[Turn]) -> int:
    """Where the last prompt with its answer begins; an answer that goes on with another one stands alone."""
    return max(0, len(conversation) - (2 if [one.role for one in conversation[-2:-1]] == ["user"] else 1))


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
        show_failure(turn, turn.error)
    elif turn.ending in {"partial", "cancelled"}:
        st.warning(tr(f"playground.ending_{turn.ending}"), icon=":material/content_cut:")


def show_failure(turn: Turn, error: GatewayError) -> None:
    """Why there is no answer, and what to do; a cap that was reached is a stop, no fault."""
    if error.kind == "spending_cap":
        st.warning(cap_text(error), icon=":material/front_hand:")
    else:
        st.error(failure_text(turn, error), icon=":material/error:")


def failure_text(turn: Turn, error: GatewayError) -> str:
    """One clear reason in the reader's language. When a whole chain failed, that of its first model: the others stood
    in for it, and what each said is in the steps."""
    first = next((one for one in turn.attempts if one.error is not None), None)
    text = ""
    if len(turn.chain) > 1 and first is not None and first.error is not None and error.scope in TRIED_ON:
        text = tr("playground.none_answered", count=len(turn.chain), model=widgets.plain(first.model_asked)) + " "
        error = first.error
    found = diagnose(error)
    text += f"**{tr(found.title_key)}.** {tr(found.cause_key)} {tr(found.remedy_key)}"
    if found.suggestions:
        text += " " + tr("playground.suggestions", names=widgets.plain(", ".join(found.suggestions)))
    return text


def rest_of_chain(turn: Turn) -> tuple[str, ...]:
    """The models of the chain after the one that was tried last."""
    tried = {f"{one.endpoint}/{one.model_asked}" for one in turn.attempts}
    places = [place for place, name in enumerate(turn.chain) if name in tried]
    return turn.chain[(max(places) if places else 0) + 1 :]


def show_next(turn: Turn, known: Mapping[str, Choice]) -> None:
    """Buttons under an answer that is not whole: go on with the next model, or ask again."""
    if turn.ending in {"ok", "running"} or not known:
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
        note.caption(note_text(turn))
        steps = st.container()
        show_stop()
        shown: list[Attempt] = []

        def paint(changed: Turn) -> None:
            if changed.text:
                text.markdown(safe_markdown(changed.text))
            for attempt in changed.attempts[len(shown) :]:
                shown.append(attempt)
                has_moved = changed.ending == "running" or len(shown) < len(changed.attempts)
                if attempt.outcome != "ok":
                    steps.status(step_text(attempt, has_moved=has_moved), state="error", type="step")
            note.caption(note_text(changed))

        follow([turn], paint, tick=lambda: note.caption(note_text(turn)))


def note_text(turn: Turn) -> str:
    """What an answer under way is doing; how long it has been waited for, until it is written."""
    key = "writing" if turn.text else "thinking" if turn.is_thinking else "waiting"
    text = tr(f"playground.{key}", model=widgets.plain(turn.model))
    waited_s = int(time.perf_counter() - turn.began)
    if turn.text or not waited_s:
        return text
    limit = fmt().number(gateway.gateway().policy.deadline_s)
    return f"{text} {tr('playground.waited', seconds=fmt().number(waited_s), limit=limit)}"


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
