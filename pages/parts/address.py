"""How does an address carry every input, and what happens to a value in it that cannot be used?

The session holds the values, the address shows them. Streamlit's own binding drops a parameter as soon as its widget
is hidden and writes translated labels instead of values, so the two are kept together here: `bind` takes values from
the address before widgets are made, `publish` writes them back after.

An address with the marker `v` is complete (a shared link, the Back button): what it leaves out has its default. One
without it is partial (a link of ours with one filter, a link written by hand): it changes only what it names.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from core.workload import Problem, ProblemKind

MARKER = "v"
UNSEEN_RUNS = 3
PUBLISHED = "_published"
TYPED = "_typed"  # what could not be used of what was typed on this page, see `number_field`
_RAW, _GENERATION, _SEEN, _KEPT, _FIELDS = "_raw", "_generation", "_seen", "_kept", "_fields"
_PAGE, _UNSEEN = "_page", "_unseen"
_MISSING = object()
TEXT_MAX_CHARS = 200
MAX_CHOICES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input of a page: its widget key, which is also its name in the address, and what it may hold.

    `options` are stable ids, never translated labels. Kinds: int, float (with low, high), choice, choices (a list),
    text, flag (bool), date (ISO). A default of None means "nothing chosen". `named` is how a choice is called on the
    page, for the sentence that says which one holds in place of one that is not offered.
    """

    key: str
    kind: Literal["int", "float", "choice", "choices", "text", "flag", "date"]
    default: Any
    low: float = -math.inf
    high: float = math.inf
    options: Sequence[str] = ()
    named: Callable[[Any], str] | None = None


def read_address() -> None:
    """Notes whether the address changed since it was last written; call once at the start of a full run."""
    current = {key: st.query_params.get_all(key) for key in st.query_params}
    if current != st.session_state.get(PUBLISHED):
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

    A widget is set as `follow` says. The session is asked once a field: each time costs some 10 microseconds.
    """
    session = st.session_state
    kept, known, is_unseen = session.setdefault(_KEPT, {}), session.setdefault(_FIELDS, {}), session.get(_UNSEEN)
    raw, is_new = _arrived()
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in fields:
        known[field.key] = field
        held = value = session.get(field.key, _MISSING)
        if is_new(field.key):
            if field.key in raw:
                value = parse(field, raw[field.key], problems)
            elif MARKER in raw:
                value = _copy(field.default)
        if value is _MISSING:
            value = _copy(kept.get(field.key, field.default))
        value = values[field.key] = _offered(field, value)
        if held is _MISSING or held != value or is_unseen:
            session[field.key] = value
    return values, problems


def _copy(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _offered(field: Field, value: Any) -> Any:
    """Options may change between runs (a database without a provider); a widget refuses a value it does not offer."""
    if field.kind not in {"choice", "choices"} or value is None:
        return value
    if isinstance(value, list | tuple):
        return [one for one in value if one in field.options]
    return value if value in field.options else field.default


def enter(page: str) -> None:
    """Notes which page is drawn; call in every full run before `bind`."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE], st.session_state[_UNSEEN] = page, UNSEEN_RUNS
        st.session_state[TYPED] = {}


def count_run() -> None:
    """Notes that the page has been drawn once more."""
    st.session_state[_UNSEEN] = max(0, st.session_state.get(_UNSEEN, 0) - 1)


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
    if mapping != st.session_state.get(PUBLISHED):
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


def parse(field: Field, texts: Sequence[str], problems: list[Problem]) -> Any:
    """`texts` as a value of `field`; what does not fit becomes the nearest or default value and is reported."""
    if field.kind == "choices":
        return _choices(field, texts, problems)
    text = texts[-1] if texts else ""
    if text == "" and field.default is None:
        return None
    return _PARSERS[field.kind](field, text, problems)


def _refuse(field: Field, kind: ProblemKind, text: str, used: Any, problems: list[Problem]) -> Any:
    has_limits = math.isfinite(field.low) and math.isfinite(field.high)
    problems.append(
        Problem(
            field=field.key,
            kind=kind,
            given=text[:40],
            used=_called(field, used),
            low=field.low if has_limits else None,
            high=field.high if has_limits else None,
        )
    )
    return used


def _called(field: Field, used: Any) -> str:
    """What is used instead, in words; empty for nothing and for a choice without a name."""
    called = str if field.kind in {"int", "float", "date"} else field.named
    return "" if used is None or called is None else called(used)


def _number(field: Field, text: str, problems: list[Problem]) -> Any:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        return _refuse(field, "not_a_number", text, field.default, problems)
    whole = int if field.kind == "int" else float
    if value < field.low:
        return _refuse(field, "too_small", text, whole(field.low), problems)
    if value > field.high:
        return _refuse(field, "too_large", text, whole(field.high), problems)
    if math.isinf(value):
        return _refuse(field, "not_a_number", text, field.default, problems)
    if whole(value) != value:
        return _refuse(field, "not_whole", text, whole(value), problems)
    return whole(value)


def _choice(field: Field, text: str, problems: list[Problem]) -> Any:
    return text if text in field.options else _refuse(field, "not_a_choice", text, field.default, problems)


def _choices(field: Field, texts: Sequence[str], problems: list[Problem]) -> list[str]:
    wanted = [text for text in dict.fromkeys(texts) if text][:MAX_CHOICES]
    good = [text for text in wanted if text in field.options]
    bad = [text for text in wanted if text not in field.options]
    if bad:
        _refuse(field, "left_out", ", ".join(bad), None, problems)
    return good


def _text(_field: Field, text: str, _problems: list[Problem]) -> str:
    return "".join(char for char in text if char.isprintable())[:TEXT_MAX_CHARS]


def _flag(field: Field, text: str, problems: list[Problem]) -> Any:
    words = {"1": True, "true": True, "0": False, "false": False}
    known = words.get(text.lower())
    return _refuse(field, "not_a_choice", text, field.default, problems) if known is None else known


def _date(field: Field, text: str, problems: list[Problem]) -> Any:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return _refuse(field, "not_a_date", text, field.default, problems)


_PARSERS: Mapping[str, Callable[[Field, str, list[Problem]], Any]] = {
    "int": _number,
    "float": _number,
    "choice": _choice,
    "text": _text,
    "flag": _flag,
    "date": _date,
}
