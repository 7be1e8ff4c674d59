"""How is a number typed? Any number can be, and one sentence below the field says what was wrong with it.

Given limits, Streamlit refuses a number in the browser: the field turns red, the page keeps its old answer and nothing
says in the reader's language what to do. So the browser gets none, and what cannot be used becomes the nearest usable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.workload import Problem
from pages.parts import address, widgets
from pages.parts.state import fmt


def number_field(
    label: str,
    low: float,
    high: float,
    *,
    key: str,
    step: float = 1.0,
    is_whole: bool = False,
    is_usd: bool = False,
    place: Any = None,
    has_sentence: bool = True,
    on_change: Callable[..., None] | None = None,
    args: Sequence[Any] = (),
    **style: Any,
) -> None:
    """A field for numbers from `low` to `high`; the session holds its value under `key`, None when nothing is typed.

    `place` (such as a column) holds the field; its sentence stands below it or, with `place`, below the columns. With
    `has_sentence` False the caller says it, for the cells of a grid. `on_change` is called with `args` after the
    number was corrected. `style` goes to `st.number_input`. An amount is typed in USD whatever currency is shown:
    `is_usd` says in the label what it is in that one.
    """
    field = address.Field(key=key, kind="int" if is_whole else "float", default=low, low=low, high=high)
    # Whole numbers are typed as any other: given whole ones alone, Streamlit would cut 2.7 down to 2 without a word.
    style.setdefault("format", "%.0f" if is_whole else "%.2f")
    # Without a value of its own an emptied field is None; Streamlit would take it for 0.
    style.setdefault("value", None)
    value = st.session_state.get(key)
    shown = f"{label} = {fmt().money(value)}" if is_usd and value and fmt().currency != "USD" else label
    (place or st).number_input(
        shown, step=float(step), key=key, on_change=_take, args=(field, on_change, args), **style
    )  # fmt: skip
    if has_sentence:
        say(key, label)


def _take(field: address.Field, then: Callable[..., None] | None, args: Sequence[Any]) -> None:
    """Callback: what was typed is corrected before any page sees it."""
    problems: list[Problem] = []
    value = st.session_state[field.key]
    if value is not None:
        value = address.parse(field, [str(value)], problems)
    elif (default := address.default_of(field.key)) is not None:
        value = default
        problems.append(Problem(field=field.key, kind="empty", given="", used=f"{default:.12g}"))
    # Kept at once: whoever types and leaves by a link is on another page in the same run.
    address.set_value(field.key, value)
    note(field.key, value, problems)
    if then:
        then(*args)


def note(key: str, used: Any, problems: Sequence[Problem]) -> None:
    """Keeps what was wrong with a field's number, which became `used`, for `say`."""
    st.session_state.setdefault(address.TYPED, {})[key] = (used, problems)


def say(key: str, label: str) -> None:
    """The sentence about what was typed; it stays while the field holds what was used instead, on this page."""
    problems = wrong(key)
    widgets.show_problems(problems, {one.field: label for one in problems})


def wrong(key: str) -> Sequence[Problem]:
    """What was wrong with the number typed into a field, as long as it holds what was used instead."""
    used, problems = st.session_state.get(address.TYPED, {}).get(key, (None, ()))
    return problems if st.session_state.get(key) == used else ()
