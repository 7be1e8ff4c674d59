"""How does an address carry every input, and what happens to a value in it that cannot be used?

The session holds the values, the address shows them. Streamlit's own binding drops a parameter as soon as its widget
is hidden and writes translated labels instead of values, so the two are kept together here: `bind` takes values from
the address before widgets are made, `publish` writes them back after.

An address with the marker `v` is complete (a shared link, the Back button): what it leaves out has its default. One
without it is partial (a link of ours with one filter, a link written by hand): it changes only what it names.

The browser sends its address with every change. Of two changes in a row the second comes with an address that does not
know the first yet, and must not undo it: an earlier address of this visit counts only when the browser says that the
reader went back to it (`RETURNED`, see browser.js).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.workload import Problem
from pages.parts.address_values import Field as Field
from pages.parts.address_values import parse as parse

MARKER = "v"
RETURNED = "back"
EARLIER_KEPT = 20
UNSEEN_RUNS = 3
PUBLISHED = "_published"
TYPED = "_typed"  # what could not be used of what was typed on this page, see `number_field`
_RAW, _GENERATION, _SEEN, _KEPT, _FIELDS = "_raw", "_generation", "_seen", "_kept", "_fields"
_PAGE, _UNSEEN, _BOUND, _DRAWN, _EARLIER = "_page", "_unseen", "_bound", "_drawn", "_earlier"
_MISSING = object()


def read_address() -> None:
    """Notes whether the address changed since it was last written; call once at the start of a full run."""
    current = {key: st.query_params.get_all(key) for key in st.query_params}
    is_late = current in st.session_state.get(_EARLIER, []) and RETURNED not in current
    if current != st.session_state.get(PUBLISHED) and not is_late:
        st.session_state[_RAW] = current
        st.session_state[PUBLISHED] = current
        st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
    st.session_state[_FIELDS] = {}


def pending(name: str) -> tuple[Mapping[str, list[str]], bool] | None:
    """The address values that `name` has not taken yet and whether they are complete; None when there are none."""
    raw, is_new = _arrived()
    return (raw, MARKER in raw) if is_new(name) else None


def _arrived() -> tuple[Mapping[str, list[str]], Callable[[str], bool]]:
    """The values of the address, and whether a name takes them for the first time: asked, it has taken them."""
    seen = st.session_state.setdefault(_SEEN, {})
    generation = st.session_state.get(_GENERATION, 0)

    def is_new(name: str) -> bool:
        is_first: bool = seen.get(name) != generation
        seen[name] = generation
        return is_first

    return st.session_state.get(_RAW, {}), is_new


def bind(fields: Sequence[Field]) -> tuple[dict[str, Any], list[Problem]]:
    """Current value of each field and what had to be corrected; call before the widgets with these keys are made.

    A widget is set as `follow` says. The session is asked once a field: each time costs some 10 microseconds. Of a
    widget that was not drawn in the last run it may hold a value of long ago: what was kept counts then, and is set, or
    the browser would begin with the first choice.
    """
    session = st.session_state
    kept, known, is_unseen = session.setdefault(_KEPT, {}), session.setdefault(_FIELDS, {}), session.get(_UNSEEN)
    bound, drawn = session.setdefault(_BOUND, set()), session.setdefault(_DRAWN, set())
    raw, is_new = _arrived()
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in fields:
        known[field.key] = field
        bound.add(field.key)
        held = value = session.get(field.key, _MISSING)
        is_drawn = field.key in drawn
        if not is_drawn:
            value = _copy(kept.get(field.key, held))
        if is_new(field.key):
            if field.key in raw:
                value = parse(field, raw[field.key], problems)
            elif MARKER in raw:
                value = _copy(field.default)
        if value is _MISSING:
            value = _copy(field.default)
        value = values[field.key] = _offered(field, value)
        if not is_drawn or held != value or is_unseen:
            session[field.key] = value
    return values, problems


def default_of(key: str) -> Any:
    """The default of a field of this page; None for one that may be empty or is bound elsewhere."""
    field = st.session_state.get(_FIELDS, {}).get(key)
    return field.default if field else None


def _copy(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _offered(field: Field, value: Any) -> Any:
    """Options may change between runs (a database without a provider); a widget refuses a value it does not offer.

    A whole number is 8.0 in its field in the browser.
    """
    if field.kind == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    if field.kind not in {"choice", "choices"} or value is None:
        return value
    if isinstance(value, list | tuple):
        return [one for one in value if one in field.options]
    return value if value in field.options else field.default


def enter(page: str) -> None:
    """Notes which page is drawn; call in every full run before `bind`."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE], st.session_state[_UNSEEN] = page, UNSEEN_RUNS
        st.session_state[TYPED], st.session_state[_DRAWN] = {}, set()


def count_run() -> None:
    """Notes that the page has been drawn once more."""
    st.session_state[_UNSEEN] = max(0, st.session_state.get(_UNSEEN, 0) - 1)


@contextmanager
def noting_widgets() -> Iterator[None]:
    """Notes which of the fields bound within it, the whole run or a fragment, have a widget when it ends.

    A run that ends early (`st.rerun`) leaves what is known as it was: not all its widgets have been drawn.
    """
    session, context = st.session_state, get_script_run_ctx()
    before = session.get(_BOUND, set())
    bound = session[_BOUND] = set()
    yield
    if context is not None:
        keys = context.shared.widget_user_keys_this_run
        session[_DRAWN] = session.get(_DRAWN, set()) - bound | {key for key in bound if key in keys}
    session[_BOUND] = before | bound


def follow(key: str, value: Any) -> None:
    """Sets a widget before it is made, only when it differs: set again, it overrides what the reader did meanwhile.

    In the first runs of a page it is set always: a rerun that comes before the browser has drawn the widget (a popover
    that closes as one leaves for another page) would leave the lowest value there.
    """
    if key not in st.session_state or st.session_state[key] != value or st.session_state.get(_UNSEEN):
        st.session_state[key] = value


def set_value(key: str, value: Any) -> None:
    """Sets a field before its widget is made in this run (in callbacks, presets, links)."""
    st.session_state[key] = value
    st.session_state.setdefault(_KEPT, {})[key] = value


def kept(key: str) -> Any:
    """The value of a field as of the last run, also of one whose widget is not drawn; None when it has none."""
    return st.session_state.get(_KEPT, {}).get(key)


def publish(extra: Mapping[str, str] | None = None) -> None:
    """Writes every bound field that differs from its default, and `extra`, into the address."""
    kept = st.session_state.setdefault(_KEPT, {})
    mapping: dict[str, list[str]] = {}
    for field in st.session_state.get(_FIELDS, {}).values():
        value = st.session_state.get(field.key, kept.get(field.key, field.default))
        kept[field.key] = _copy(value)
        if _copy(value) != _copy(field.default):
            mapping[field.key] = _texts(value)
    mapping |= {key: [text] for key, text in (extra or {}).items()}
    mapping = {key: texts for key, texts in mapping.items() if texts} | {MARKER: ["1"]}
    before = st.session_state.get(PUBLISHED)
    if mapping != before:
        # A plain address is that of a page just chosen, and never late.
        if before and MARKER in before:
            st.session_state[_EARLIER] = [*st.session_state.get(_EARLIER, []), before][-EARLIER_KEPT:]
        st.session_state[PUBLISHED] = mapping
        st.query_params.from_dict({key: texts if len(texts) > 1 else texts[0] for key, texts in mapping.items()})


def _texts(value: Any) -> list[str]:
    if value is None:
        return [""]
    if isinstance(value, bool):
        return ["1" if value else "0"]
    if isinstance(value, list | tuple):
        return [str(one) for one in value] or [""]
    if isinstance(value, float):
        return [f"{value:.12g}"]
    return [str(value)]
