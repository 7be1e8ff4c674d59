"""Why does a call fail? Pick an error or paste one: cause, check, remedy."""

from __future__ import annotations

import streamlit as st

from core.gateway.diagnosis import ARTICLE_TOPICS, MAX_TEXT_CHARS, TOPICS, Diagnosis, diagnose_text
from pages.parts import address
from pages.parts.state import tr

TOPIC, PASTED = "connections_error", "connections_pasted"
ORDER = (*ARTICLE_TOPICS, *(topic for topic in TOPICS if topic not in ARTICLE_TOPICS))


def field() -> address.Field:
    """The picked error; a pasted text may hold a key and is never in the address."""
    return address.Field(key=TOPIC, kind="choice", default=ORDER[0], options=ORDER, named=_title)


def _title(topic: str) -> str:
    return tr(f"diagnosis.{topic}_title")


def show_guide() -> None:
    """Draws the guide; pasted text wins over the picked error."""
    st.header(tr("connections.guide_title"))
    titles = {topic: _title(topic) for topic in ORDER}
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.selectbox(tr("connections.guide_pick"), ORDER, key=TOPIC, format_func=titles.__getitem__)
        pasted = st.text_area(
            tr("connections.guide_paste"), key=PASTED, max_chars=MAX_TEXT_CHARS, height=140,
            placeholder=tr("connections.guide_placeholder"), help=tr("connections.guide_paste_help"),
        )  # fmt: skip
    text = (pasted or "").strip()
    found = diagnose_text(text) if text else Diagnosis(topic=str(st.session_state.get(TOPIC) or ORDER[0]))
    with right:
        show_diagnosis(found, is_pasted=bool(text))


def show_diagnosis(found: Diagnosis, *, is_pasted: bool = False) -> None:
    """Title, cause, check and remedy of one diagnosis."""
    with st.container(border=True):
        if is_pasted and found.is_known:
            st.caption(tr("connections.guide_recognised"))
        status = f" · {found.status_code}" if found.status_code else ""
        st.markdown(f"### {tr(found.title_key)}{status}")
        for part, key in (("cause", found.cause_key), ("check", found.check_key), ("remedy", found.remedy_key)):
            st.markdown(f"**{tr(f'connections.{part}')}**  \n{tr(key)}")
