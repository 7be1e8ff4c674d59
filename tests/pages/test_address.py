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
from pages.parts import address
from pages.parts.address import Field, parse
from tests.conftest import PROJECT
from tests.pages.conftest import OpenPage, assert_whole

COUNT = Field(key="count", kind="int", default=5, low=1, high=10)
RATE = Field(key="rate", kind="float", default=0.5, low=0, high=1)
SORT = Field(key="sort", kind="choice", default="a", options=("a", "b"))
MANY = Field(key="many", kind="choices", default=[], options=("a", "b", "c"))
DAY = Field(key="day", kind="date", default=None)
ON = Field(key="on", kind="flag", default=False)
CELL = ":small[:material/info: "
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
        (MANY, ["a", "zzz"], ["a"], ["left_out"]),
        (COUNT, ["2.7"], 2, ["not_whole"]),
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
    noting = address.noting_widgets()
    noting.__enter__()
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
    noting.__exit__(None, None, None)
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


def test_an_address_that_comes_late_undoes_nothing_and_one_gone_back_to_counts() -> None:
    at = _run(t_count="7", v="1")
    at.slider(key="t_count").set_value(3).run()
    assert at.query_params["t_count"] == "3"

    at.query_params["t_count"] = "7"
    at.multiselect(key="t_many").set_value(["a"]).run()
    assert at.text[0].value == "3 ['a'] 50000"

    at.query_params.clear()
    at.query_params.update({"t_count": "7", "v": "1", address.RETURNED: "1"})
    at.run()
    assert at.text[0].value == "7 [] 50000"
    assert dict(at.query_params) == {"t_count": "7", "v": "1"}


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


def _said(at: AppTest) -> list[str]:
    """Sentences in boxes, and those in the narrow cells of the workload's fields."""
    cells = [one.value[:-1] for one in at.markdown if one.value.startswith(CELL)]
    return [one.removeprefix(CELL).replace("\\", "") for one in [*(box.value for box in at.warning), *cells]]


def test_what_cannot_be_used_is_written_as_the_reader_writes_it(open_page: OpenPage) -> None:
    """Figures grouped, shares in percent, no default that has no name ("None", nothing) in a sentence."""
    said = _said(open_page("overview", query={"req": "1e12", "cached": "1.5", "monthly_cost_start": "soon"}))

    assert "Requests per month: 1,000,000,000,000 is too large, so 100,000,000,000 is used." in said[0]
    assert "Cached input (%): 150% is too large, so 100% is used. Enter a number from 0% to 100%." in said[0]
    said = _said(open_page("model_prices", query={"mp_cap": "abc", "mp_providers": ["openai", "nobody"]}))
    assert "“abc” is not a number, so the field stays empty." in said[0]
    assert "“nobody” is not one of the choices and is left out." in said[0]
    said = _said(open_page("gpu_clouds", query={"gc_gpu": "nothing"}))
    assert said[0].endswith("“nothing” is not one of the choices, so the default (H100-80GB) is used.")


@pytest.mark.parametrize(
    ("typed", "used", "sentence"),
    [
        (0, 1, "Requests per month: 0 is too small, so 1 is used. Enter a number from 1 to 100,000,000,000."),
        (2.7, 2, "Requests per month: 2.7 is not a whole number, so 2 is used. Enter a whole number from"),
        (1e20, 100_000_000_000, "is too large, so 100,000,000,000 is used."),
    ],
)
def test_a_typed_workload_is_corrected_below_its_field(
    open_page: OpenPage, typed: float, used: int, sentence: str
) -> None:
    at = open_page("monthly_cost")
    at.number_input(key="wl_requests_per_month").set_value(typed).run()

    assert_whole(at)
    assert at.number_input(key="wl_requests_per_month").value == used
    assert len(_said(at)) == 1
    assert sentence in _said(at)[0]
    at.slider(key="wl_growth_per_month_slider").set_value(3.0).run()
    assert len(_said(at)) == 1  # another field does not take it away
    at.number_input(key="wl_requests_per_month").set_value(77).run()
    assert _said(at) == []


def test_shares_that_do_not_add_up_are_corrected_in_percent(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"monthly_cost_group": "more", "cached": "0.8"})
    at.segmented_control(key="monthly_cost_group").set_value("more").run()
    at.number_input(key="wl_cache_write_share").set_value(50.0).run()

    assert at.number_input(key="wl_cache_write_share").value == 20
    assert _said(at) == [
        "Cache writes (%): the shares add up to 130%, more than 100%, so 20% is used. Lower one of them."
    ]


@pytest.mark.parametrize(
    ("name", "query", "key", "typed", "sentence"),
    [
        ("gpu_clouds", {}, "gc_machines", 0, "0 is too small, so 1 is used"),
        ("gpu_clouds", {}, "gc_storage", -5, "-5 is too small, so 0 is used"),
        ("model_prices", {}, "mp_cap", -1, "-1 is too small, so 0 is used"),
        ("playground", {}, "playground_max_tokens", 0.5, "0.5 is too small, so 1 is used"),
        ("self_host", {}, "sh_t_util", 170, "170 is too large, so 100 is used"),
    ],
)
def test_a_typed_number_is_answered_on_every_page(
    open_page: OpenPage, name: str, query: dict[str, str], key: str, typed: float, sentence: str
) -> None:
    at = open_page(name, query=query)
    at.session_state["sh_rules"] = True  # the expander that holds the field on "rent or call"
    at.run()
    at.number_input(key=key).set_value(typed).run()

    assert_whole(at)
    assert any(sentence in one for one in _said(at)), _said(at)


def test_a_discount_out_of_bounds_is_refused_when_it_is_saved(open_page: OpenPage) -> None:
    """A form has no callbacks, so its button says it."""
    at = open_page("model_prices", query={"mp_view": "own"})
    at.number_input(key="mp_off_percent").set_value(120.0)
    at.button(key="FormSubmitter:mp_discount-Save").click().run()

    assert any("Nothing saved: enter a discount from 0 to 99" in one.value for one in at.error)
    assert not [one.key for one in at.button if one.key and one.key.startswith("mp_drop_off")]


def test_every_number_field_answers_what_cannot_be_used() -> None:
    """Streamlit's own limits refuse without a word; a form has no callbacks, so its button checks the discount."""
    drawn = [path for path in (PROJECT / "pages").rglob("*.py") if ".number_input(" in path.read_text(encoding="utf-8")]

    assert {path.name for path in drawn} == {"number_field.py", "model_prices_own.py"}


def test_an_amount_typed_in_usd_says_what_it_is_in_won(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"budget": "80", "cur": "KRW"})
    field = at.number_input(key="wl_budget_usd_per_month")
    assert field.label == "Budget per month (USD) = ₩112,000"
    assert "budget ₩112K/mo" in at.markdown[0].value

    field.set_value(100.0).run()
    assert at.number_input(key="wl_budget_usd_per_month").value == 100
    assert at.number_input(key="wl_budget_usd_per_month").label.endswith("₩140,000")
