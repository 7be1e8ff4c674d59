"""A workload: its limits, what becomes of values beyond them, and its way through an address."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.workload import LIMITS, NAME_MAX_CHARS, PRESETS, Problem, Workload

INTEGERS = [field for field, limit in LIMITS.items() if limit.is_integer]


def values_of(field: str) -> st.SearchStrategy[Any]:
    limit = LIMITS[field]
    if limit.is_integer:
        return st.integers(int(limit.low), int(limit.high))
    # Twelve digits are what an address keeps.
    numbers = st.floats(limit.low, limit.high).map(lambda value: float(f"{value:.12g}"))
    return st.none() | numbers if limit.is_optional else numbers


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    found = {field: draw(values_of(field)) for field in LIMITS}
    found["cache_write_share"] = min(found["cache_write_share"], round(1 - found["cached_share"], 11))
    return Workload(name=draw(st.text(max_size=NAME_MAX_CHARS)), **found)


@pytest.mark.parametrize("field", LIMITS)
def test_each_field_is_taken_at_its_limits_and_refused_by_name_beyond_them(field: str) -> None:
    limit = LIMITS[field]
    for value in (limit.low, limit.high):
        assert getattr(Workload(**{field: int(value) if limit.is_integer else value}), field) == value

    for value in (limit.low - 1, limit.high * 2 + 1, float("nan"), float("inf"), "1", None):
        if value is None and limit.is_optional:
            continue
        with pytest.raises(ValueError, match=field):
            Workload(**{field: value})  # type: ignore[arg-type]  # what a caller might do


def test_cached_and_written_shares_together_stay_within_the_input() -> None:
    assert Workload(cached_share=0.7, cache_write_share=0.3).cache_write_share == 0.3
    with pytest.raises(ValueError, match="cache_write_share"):
        Workload(cached_share=0.7, cache_write_share=0.31)


def test_tokens_of_a_month_are_requests_times_both_lengths() -> None:
    assert Workload(requests_per_month=1_000, input_tokens=300, output_tokens=200).tokens_per_month == 500_000


@given(workloads())
def test_every_workload_survives_its_address(workload: Workload) -> None:
    found, problems = Workload.from_mapping(workload.to_mapping())

    assert problems == []
    assert found == workload


def test_the_address_holds_only_what_differs_from_the_defaults() -> None:
    assert Workload().to_mapping() == {}
    assert Workload(requests_per_month=200_000, cached_share=0.25, name="ours").to_mapping() == {
        "req": "200000", "cached": "0.25", "name": "ours",
    }  # fmt: skip


def test_codes_win_over_field_names_and_both_are_read() -> None:
    found, problems = Workload.from_mapping({"req": "5", "requests_per_month": 7, "output_tokens": "9"})

    assert problems == []
    assert (found.requests_per_month, found.output_tokens) == (5, 9)


@pytest.mark.parametrize(
    ("given_value", "used", "kind"),
    [
        ("0", 1, "too_small"), ("-5", 1, "too_small"), ("1e99", 100_000_000_000, "too_large"),
        ("inf", 100_000_000_000, "too_large"), ("-inf", 1, "too_small"), ("nan", 50_000, "not_a_number"),
        ("many", 50_000, "not_a_number"), ("", 50_000, "not_a_number"), (True, 50_000, "not_a_number"),
    ],
)  # fmt: skip
def test_an_unusable_value_is_clamped_or_replaced_and_reported(given_value: object, used: int, kind: str) -> None:
    found, problems = Workload.from_mapping({"req": given_value})

    assert found.requests_per_month == used
    assert [(one.field, one.kind, one.used) for one in problems] == [("requests_per_month", kind, str(used))]


def test_an_empty_budget_is_no_budget() -> None:
    assert Workload.from_mapping({"budget": " "}) == (Workload(), [])


def test_fractions_of_requests_are_cut_off() -> None:
    found, (problem,) = Workload.from_mapping({"req": "1999.9"})

    assert found.requests_per_month == 1_999
    assert (problem.kind, problem.given, problem.used) == ("not_whole", "1999.9", "1999")


def test_a_written_share_gives_way_to_the_cached_one() -> None:
    found, (problem,) = Workload.from_mapping({"cached": "0.8", "cwrite": "0.5"})

    assert (found.cached_share, found.cache_write_share) == (0.8, 0.2)
    assert (problem.field, problem.kind) == ("cache_write_share", "shares_exceed_one")


def test_a_name_is_cut_to_its_length() -> None:
    assert Workload.from_mapping({"name": "x" * 200})[0].name == "x" * NAME_MAX_CHARS


given_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)


@given(st.dictionaries(st.sampled_from([*LIMITS, *(one.code for one in LIMITS.values()), "name", "v"]), given_values))
def test_no_address_does_more_than_be_corrected(values: dict[str, object]) -> None:
    found, problems = Workload.from_mapping(values)

    assert Workload(**dataclasses.asdict(found)) == found
    assert all(isinstance(getattr(found, field), int) for field in INTEGERS)
    assert {one.field for one in problems} <= set(LIMITS)
    assert Workload.from_mapping(found.to_mapping())[1] == []


def test_a_problem_reads_as_one_sentence() -> None:
    problem = Problem(field="horizon_months", kind="too_large", given="99", used="60", low=1, high=60)

    assert str(problem) == "horizon_months: '99' is too large (1 to 60); 60 is used."
    assert str(Problem(field="start", kind="not_a_date", given="x", used="2026-12")).count("(") == 0


def test_presets_are_workloads_without_a_name() -> None:
    assert {one.name for one in PRESETS.values()} == {""}
    assert PRESETS["article_mvp"].requests_per_month == 50_000
