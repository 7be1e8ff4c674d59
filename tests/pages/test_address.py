"""Every input is in the address; a value that cannot be used becomes one sentence, never a traceback."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from core.workload import Problem
from pages.parts.address import Field, parse
from tests.pages.conftest import OpenPage

COUNT = Field(key="count", kind="int", default=5, low=1, high=10)
RATE = Field(key="rate", kind="float", default=0.5, low=0, high=1)
SORT = Field(key="sort", kind="choice", default="a", options=("a", "b"))
MANY = Field(key="many", kind="choices", default=[], options=("a", "b", "c"))
DAY = Field(key="day", kind="date", default=None)
ON = Field(key="on", kind="flag", default=False)
WORDS = Field(key="words", kind="text", default="")


@pytest.mark.parametrize(
    ("field", "texts", "value", "kinds"),
    [
        (COUNT, ["7"], 7, []),
        (COUNT, ["0"], 1, ["too_small"]),
        (COUNT, ["1e99"], 10, ["too_large"]),
        (COUNT, ["nan"], 5, ["not_a_number"]),
        (COUNT, ["drop table"], 5, ["not_a_number"]),
        (RATE, ["0.25"], 0.25, []),
        (RATE, ["-inf"], 0.0, ["too_small"]),
        (SORT, ["b"], "b", []),
        (SORT, ["<script>"], "a", ["not_a_choice"]),
        (MANY, ["a", "c", "a"], ["a", "c"], []),
        (MANY, ["a", "zzz"], ["a"], ["not_a_choice"]),
        (MANY, [""], [], []),
        (DAY, ["2026-11-20"], dt.date(2026, 11, 20), []),
        (DAY, ["yesterday"], None, ["not_a_date"]),
        (DAY, [""], None, []),
        (ON, ["1"], True, []),
        (ON, ["perhaps"], False, ["not_a_choice"]),
        (WORDS, ["h\x00i"], "hi", []),
        (WORDS, ["x" * 1000], "x" * 200, []),
    ],
)
def test_address_texts_become_values(field: Field, texts: list[str], value: Any, kinds: list[str]) -> None:
    problems: list[Problem] = []

    assert parse(field, texts, problems) == value
    assert [one.kind for one in problems] == kinds


@given(st.sampled_from([COUNT, RATE, SORT, MANY, DAY, ON, WORDS]), st.lists(st.text(max_size=30), max_size=3))
def test_any_text_gives_a_value_the_field_may_hold(field: Field, texts: list[str]) -> None:
    value = parse(field, texts, [])

    if field.kind in {"int", "float"}:
        assert field.low <= value <= field.high
        assert math.isfinite(value)
    elif field.kind == "choice":
        assert value in field.options
    elif field.kind == "choices":
        assert set(value) <= set(field.options)


def _page() -> None:
    import streamlit as st

    from pages.parts import address, state, widgets
    from pages.parts.workload_bar import workload_bar

    address.read_address()
    address.bind(state.shell_fields())
    fields = [
        address.Field(key="t_count", kind="int", default=5, low=1, high=10),
        address.Field(key="t_many", kind="choices", default=[], options=("a", "b")),
    ]
    values, problems = address.bind(fields)
    workload = workload_bar()
    st.slider("count", 1, 10, key="t_count")
    st.multiselect("many", ["a", "b"], key="t_many")
    widgets.show_problems(problems)
    st.text(f"{values['t_count']} {values['t_many']} {workload.requests_per_month}")
    state.publish()


def _run(**query: str) -> AppTest:
    at = AppTest.from_function(_page, default_timeout=30)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def test_an_empty_address_gives_defaults() -> None:
    at = _run()

    assert at.text[0].value == "5 [] 50000"
    assert not at.warning


def test_an_address_gives_its_values_to_widgets_and_workload() -> None:
    at = _run(t_count="7", t_many="b", req="1234")

    assert at.text[0].value == "7 ['b'] 1234"
    assert at.slider(key="t_count").value == 7


def test_hostile_values_are_corrected_in_one_sentence_each() -> None:
    at = _run(t_count="999", req="none", cached="0.8", cwrite="0.8")

    assert at.text[0].value == "10 [] 50000"
    warnings = " ".join(one.value for one in at.warning)
    assert "999 is too large" in warnings
    assert "Requests per month" in warnings
    assert "more than 1" in warnings


def test_a_moved_widget_keeps_its_value_in_later_runs() -> None:
    at = _run(t_count="7")

    at.slider(key="t_count").set_value(3).run()
    at.multiselect(key="t_many").set_value(["a"]).run()

    assert at.text[0].value == "3 ['a'] 50000"


@pytest.mark.parametrize(
    ("name", "key", "label"),
    [
        ("overview", "fx", "Won per dollar"),
        ("overview", "ov_since", "Changes since"),
        ("overview", "monthly_cost_requests_spread", "Level of requests, spread"),
        ("monthly_cost", "monthly_cost_start", "First month"),
        ("overview", "way_vat", "VAT"),
        ("roi", "roi_rate", "Discount rate"),
        ("model_prices", "mp_cap", "Highest bill"),
        ("usage", "usage_days", "Period"),
        ("playground", "playground_mode", "Mode"),
        ("connections", "connections_error", "Pick an error"),
    ],
)
def test_what_was_corrected_is_called_as_on_the_page(open_page: OpenPage, name: str, key: str, label: str) -> None:
    at = open_page(name, query={key: "nothing-such"})

    assert [one.value for one in at.warning if one.value.startswith(label)], [one.value for one in at.warning]
