"""What does a model answer, what does it cost, and what happens when it fails?"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import streamlit as st

from core.gateway import PRESETS, Message
from core.workload import Problem
from pages.parts import (
    address,
    gateway,
    playground_chat,
    playground_inputs,
    playground_side,
    playground_task,
    state,
    widgets,
)
from pages.parts.playground_export import export
from pages.parts.playground_inputs import CHAIN, MODE, SIDE, Choice, request
from pages.parts.playground_money import fits_cap, show_money
from pages.parts.playground_stream import Turn
from pages.parts.playground_text import PROMPT_MAX_CHARS, as_json, as_markdown, code_example
from pages.parts.state import tr
from pages.parts.workload_bar import workload_bar

EXAMPLES = ("example_cost", "example_code", "example_summary")


@dataclass(kw_only=True)
class Run:
    """What this run of the page is about; `coming` is an answer that was asked for before anything is drawn."""

    known: dict[str, Choice]
    problems: list[Problem]
    is_side: bool
    chosen: list[str]
    conversation: list[Turn]
    prompt: str | None
    earlier: list[Message]
    refusal: str | None = None
    coming: Turn | None = None

    @property
    def models(self) -> list[Choice]:
        return [self.known[name] for name in self.chosen]


def start() -> Run:
    """Reads what was asked and sends it first: drawing the page takes as long as the way to the upstream."""
    known = playground_inputs.choices()
    problems = playground_inputs.take(known)
    is_side = st.session_state[MODE] == "side"
    conversation = playground_chat.turns()
    run = Run(
        known=known, problems=problems, is_side=is_side, conversation=conversation,
        chosen=[name for name in st.session_state[SIDE if is_side else CHAIN] if name in known],
        prompt=st.session_state.get("playground_prompt") or st.session_state.pop("_playground_example", None),
        earlier=[] if is_side else playground_chat.messages(conversation),
    )  # fmt: skip
    run.refusal = refusal(run)
    if not is_side:
        _send(run)
    return run


def _send(run: Run) -> None:
    going_on: tuple[tuple[str, ...], bool] | None = st.session_state.pop(playground_chat.NEXT, None)
    if run.prompt and run.refusal is None and run.models:
        run.conversation.append(Turn(role="user", text=run.prompt))
        going_on = (tuple(run.chosen), False)
    elif going_on and not fits_cap([run.known[name] for name in going_on[0]], request(run.earlier), is_side=False):
        run.refusal, going_on = "cap_reached", None
    if going_on:
        chain, goes_on = going_on
        run.coming = playground_chat.send(run.conversation, chain, run.known, goes_on=goes_on)


REFUSALS = {
    "empty_prompt": ":material/edit:",
    "long_prompt": ":material/content_cut:",
    "cap_reached": ":material/front_hand:",
}


def refusal(run: Run) -> str | None:
    """Why the prompt may not be sent; None when it may, or when there is none."""
    if not run.prompt or not run.models:
        return None
    if not run.prompt.strip():
        return "empty_prompt"
    if len(run.prompt) > PROMPT_MAX_CHARS:
        return "long_prompt"
    asked = request([*run.earlier, Message(role="user", content=run.prompt)])
    return None if fits_cap(run.models, asked, is_side=run.is_side) else "cap_reached"


def page(run: Run) -> None:
    """Inputs, what the next request costs, and the conversation or the comparison."""
    widgets.show_problems(run.problems, playground_inputs.labels())
    # In the page's body, Streamlit would put the field there too, but open the page at its end.
    with st.bottom:
        # One sign more than allowed: Streamlit cuts what is longer without a word, so that only then it is noticed.
        st.chat_input(tr("playground.prompt"), key="playground_prompt", max_chars=PROMPT_MAX_CHARS + 1)
    playground_inputs.draw(run.known)
    asked = request([*run.earlier, Message(role="user", content=run.prompt or "")])
    if not run.is_side:
        playground_task.draw(run.known, asked)
    if run.chosen and all(one.is_simulated for one in run.models):
        st.info(tr("playground.simulated_note"), icon=":material/science:")
    show_money(run.models, asked)
    tools(playground_side.comparison() if run.is_side else run.conversation, run)
    if not run.chosen:
        st.warning(tr("playground.no_model"), icon=":material/playlist_add:")
    if run.refusal:
        limit = f"{PROMPT_MAX_CHARS:,}"
        st.warning(tr(f"playground.{run.refusal}", limit=limit), icon=REFUSALS[run.refusal])
    if run.is_side:
        side(run)
    else:
        chat(run)


def chat(run: Run) -> None:
    """The conversation, and the answer to a new prompt while it comes."""
    turns, coming = run.conversation, run.coming
    if not turns:
        examples()
        return
    first = playground_chat.latest(turns)
    playground_chat.show_history(turns[:first], {})
    with st.container(key=playground_chat.COMING if coming else "playground_latest"):
        # The buttons of an answer that is not whole go away while the next one is written.
        playground_chat.show_history(turns[first : -1 if coming else None], {} if coming else run.known)
        if coming:
            playground_chat.show_coming(coming)
    if coming:
        st.rerun()


def side(run: Run) -> None:
    """The last comparison, or a new one while it is written."""
    if run.prompt and run.models and run.refusal is None:
        playground_side.compare(run.prompt, run.models)
        st.rerun()
    playground_side.show()


def examples() -> None:
    """Three prompts to begin with."""
    st.caption(tr("playground.examples"))
    with st.container(horizontal=True):
        for name in EXAMPLES:
            st.button(
                tr(f"playground.{name}"), key=f"playground_{name}", on_click=_example, args=(tr(f"playground.{name}"),)
            )


def _example(text: str) -> None:
    st.session_state["_playground_example"] = text


def tools(shown: list[Turn], run: Run) -> None:
    """The same call as code, the conversation or the comparison as a file, and a fresh start."""
    about = "comparison" if run.is_side else "conversation"
    with st.container(horizontal=True, key="playground_more"):
        code = st.popover(tr("playground.code"), icon=":material/code:", on_change="rerun", key="playground_code_open")
        if code.open and run.models:
            with code:
                show_code(shown, run.models[0])
        if shown:
            today = state.today().isoformat()
            st.download_button(
                "JSON", lambda: as_json(export(shown), about), f"{about}-{today}.json",
                "application/json", key="playground_json", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
            st.download_button(
                "Markdown", lambda: as_markdown(export(shown)), f"{about}-{today}.md",
                "text/markdown", key="playground_markdown", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
            st.button(
                tr("playground.clear"), key="playground_clear", icon=":material/delete:", on_click=_clear,
                args=(run.is_side,),
            )  # fmt: skip


def _clear(is_side: bool) -> None:
    if is_side:
        st.session_state.pop(playground_side.LANES, None)
    else:
        playground_chat.turns().clear()


def show_code(conversation: list[Turn], choice: Choice) -> None:
    """The last prompt as a call in code, against the real seller; the key is left out."""
    kind = st.segmented_control(
        tr("playground.code"), ("curl", "httpx", "openai"), key="playground_code", default="curl", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    seller = PRESETS[choice.endpoint.provider_id].endpoint() if choice.is_simulated else choice.endpoint
    endpoint = dataclasses.replace(seller, api_key="")
    earlier = playground_chat.messages([one for one in conversation if one.role == "user"][-1:])
    asked = request(earlier or [Message(role="user", content=tr("playground.example_cost"))])
    if kind == "openai" and endpoint.dialect != "openai":
        st.caption(tr("playground.code_not_openai"))
    text = code_example(str(kind), endpoint, choice.model, asked)
    st.code(text, language="bash" if kind == "curl" else "python")
    st.caption(tr("playground.code_help", endpoint=widgets.plain(gateway.label_of(endpoint.name))))


@state.block
def strip() -> None:
    """The workload's strip; the conversation below is no fragment, because an answer that comes must not be cut off."""
    workload_bar()


with address.noting_widgets():
    now = start()
    try:
        strip()
        st.title(tr("playground.title"))
        page(now)
    finally:
        # Whatever ends this run early (a closed tab, a rerun) ends the answer with it.
        if now.coming is not None:
            now.coming.stop()
