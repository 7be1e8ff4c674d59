"""What does a model answer, what does it cost, and what happens when it fails?"""

from __future__ import annotations

import datetime as dt

import streamlit as st

from core.gateway import PRESETS, Message
from pages.parts import playground_chat, playground_inputs, playground_side, state, widgets
from pages.parts.playground_inputs import CHAIN, MODE, SIDE, Choice, fits_cap, request
from pages.parts.playground_stream import Turn
from pages.parts.playground_text import PROMPT_MAX_CHARS, as_json, as_markdown, code_example
from pages.parts.state import tr
from pages.parts.workload_bar import workload_bar

EXAMPLES = ("example_cost", "example_code", "example_summary")


def page() -> None:
    known = playground_inputs.choices()
    problems = playground_inputs.take(known)
    widgets.show_problems(problems)
    is_side = st.session_state[MODE] == "side"
    # One sign more than allowed: Streamlit cuts what is longer without a word, so that only then it is noticed.
    prompt = st.chat_input(
        tr("playground.prompt"), key="playground_prompt", max_chars=PROMPT_MAX_CHARS + 1
    )  # fmt: skip
    playground_inputs.draw(known)
    chosen = [name for name in st.session_state[SIDE if is_side else CHAIN] if name in known]
    conversation = playground_chat.turns()
    if chosen and all(known[name].is_simulated for name in chosen):
        st.info(tr("playground.simulated_note"), icon=":material/science:")
    sent = [] if is_side else playground_chat.messages(conversation)
    models = [known[name] for name in chosen]
    playground_inputs.show_money(models, request([*sent, Message(role="user", content=prompt or "")]))
    prompt = prompt or st.session_state.pop("_playground_example", None)
    tools(conversation, models)
    if not chosen:
        st.warning(tr("playground.no_model"), icon=":material/playlist_add:")
    if is_side:
        side(prompt, models)
    else:
        chat(prompt, chosen, conversation, known)


def usable(prompt: str | None, models: list[Choice], earlier: list[Message], *, is_side: bool) -> str | None:
    """The prompt when it may be sent; otherwise says why not."""
    if prompt is None or not models:
        return None
    if not prompt.strip():
        st.warning(tr("playground.empty_prompt"), icon=":material/edit:")
        return None
    if len(prompt) > PROMPT_MAX_CHARS:
        st.warning(tr("playground.long_prompt", limit=f"{PROMPT_MAX_CHARS:,}"), icon=":material/content_cut:")
        return None
    if not fits_cap(models, request([*earlier, Message(role="user", content=prompt)]), is_side=is_side):
        st.warning(tr("playground.cap_reached"), icon=":material/front_hand:")
        return None
    return prompt


def chat(prompt: str | None, chosen: list[str], conversation: list[Turn], known: dict[str, Choice]) -> None:
    """The conversation, and the answer to a new prompt while it comes."""
    going_on: tuple[tuple[str, ...], bool] | None = st.session_state.pop(playground_chat.NEXT, None)
    models = [known[name] for name in chosen]
    earlier = playground_chat.messages(conversation)
    ready = usable(prompt, models, earlier, is_side=False)
    if not conversation and ready is None:
        examples()
    if ready is not None:
        conversation.append(Turn(role="user", text=ready))
        going_on = (tuple(chosen), False)
    elif going_on and not fits_cap([known[name] for name in going_on[0]], request(earlier), is_side=False):
        st.warning(tr("playground.cap_reached"), icon=":material/front_hand:")
        going_on = None
    # The buttons of an answer that is not whole go away while the next one is written.
    playground_chat.show_history(conversation, {} if going_on else known)
    if going_on:
        chain, goes_on = going_on
        playground_chat.answer(conversation, chain, known, goes_on=goes_on)
        st.rerun()


def side(prompt: str | None, models: list[Choice]) -> None:
    """The last comparison, or a new one while it is written."""
    ready = usable(prompt, models, [], is_side=True)
    if ready is not None:
        playground_side.compare(ready, models)
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


def tools(conversation: list[Turn], models: list[Choice]) -> None:
    """The same call as code, the conversation as a file, and a fresh start."""
    with st.container(horizontal=True, key="playground_more"):
        code = st.popover(tr("playground.code"), icon=":material/code:", on_change="rerun", key="playground_code_open")
        if code.open and models:
            with code:
                show_code(conversation, models[0])
        if conversation:
            today = dt.datetime.now(dt.UTC).date().isoformat()
            st.download_button(
                "JSON", lambda: as_json(playground_chat.export(conversation)), f"conversation-{today}.json",
                "application/json", key="playground_json", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
            st.download_button(
                "Markdown", lambda: as_markdown(playground_chat.export(conversation)), f"conversation-{today}.md",
                "text/markdown", key="playground_markdown", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
            st.button(tr("playground.clear"), key="playground_clear", icon=":material/delete:", on_click=_clear)


def _clear() -> None:
    playground_chat.turns().clear()
    st.session_state.pop(playground_side.LANES, None)


def show_code(conversation: list[Turn], choice: Choice) -> None:
    """The last prompt as a call in code, against the real seller; the key is left out."""
    kind = st.segmented_control(
        tr("playground.code"), ("curl", "httpx", "openai"), key="playground_code", default="curl", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    name = choice.endpoint.provider_id if choice.is_simulated else choice.endpoint.name
    earlier = playground_chat.messages([one for one in conversation if one.role == "user"][-1:])
    asked = request(earlier or [Message(role="user", content=tr("playground.example_cost"))])
    if kind == "openai" and PRESETS[name].dialect != "openai":
        st.caption(tr("playground.code_not_openai"))
    text = code_example(str(kind), PRESETS[name].endpoint(), choice.model, asked)
    st.code(text, language="bash" if kind == "curl" else "python")
    st.caption(tr("playground.code_help", endpoint=PRESETS[name].label))


@state.block
def strip() -> None:
    """The workload's strip; the conversation below is no fragment, because an answer that comes must not be cut off."""
    workload_bar()


strip()
st.title(tr("playground.title"))
page()
