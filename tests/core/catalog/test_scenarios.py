"""Plans kept by name, and the files they travel in."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalog import scenarios
from core.catalog.database import DatabaseProblem, open_engine
from core.catalog.scenarios import Scenario, ScenarioError, Scenarios, dump, parse
from core.workload import Workload

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
GROWING = Workload(name="ours", requests_per_month=123_456, growth_per_month=0.05, budget_usd_per_month=500.0)


@pytest.fixture
def store(tmp_path: Path) -> Scenarios:
    return Scenarios(open_engine(f"sqlite:///{tmp_path / 'plans.db'}"), now=lambda: NOON)


def test_a_saved_plan_comes_back_whole(store: Scenarios) -> None:
    store.save("Plan A", GROWING, {"way_models": "openai/gpt-4.1"})

    found = store.get("Plan A")

    assert found.workload == GROWING
    assert found.parameters == {"way_models": "openai/gpt-4.1"}
    assert found.saved_at == NOON


def test_plans_survive_the_end_of_the_program(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'plans.db'}"
    Scenarios(open_engine(url)).save("계획", GROWING)

    assert [one.name for one in Scenarios(open_engine(url)).all()] == ["계획"]


def test_a_database_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()

    with pytest.raises(DatabaseProblem) as caught:
        Scenarios(open_engine(f"sqlite:///file:{path}?mode=ro&uri=true"))

    assert caught.value.reason == "read_only"


def test_saving_under_a_name_again_replaces_the_plan(store: Scenarios) -> None:
    store.save("A", GROWING)
    store.save("A", Workload())

    assert [one.workload for one in store.all()] == [Workload()]


def test_plans_are_listed_by_name_copied_and_deleted(store: Scenarios) -> None:
    store.save("B", GROWING)
    store.copy("B", "A")
    assert [one.name for one in store.all()] == ["A", "B"]
    assert store.get("A").workload == GROWING

    store.delete("B")
    assert [one.name for one in store.all()] == ["A"]


@pytest.mark.parametrize("name", ["", "  ", "\n\t", "\x00"])
def test_a_name_of_nothing_is_refused(store: Scenarios, name: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        store.save(name, GROWING)

    assert (refused.value.kind, refused.value.field) == ("name_empty", "name")


def test_a_name_is_kept_as_one_clean_line(store: Scenarios) -> None:
    assert store.save(" a\n b\x07 ", GROWING).name == "a b"
    with pytest.raises(ScenarioError, match="longer than 80"):
        store.save("x" * 81, GROWING)


def test_a_copy_never_overwrites(store: Scenarios) -> None:
    store.save("A", GROWING)

    with pytest.raises(ScenarioError) as refused:
        store.copy("A", "A")

    assert refused.value.kind == "name_taken"


def test_an_unknown_name_is_named(store: Scenarios) -> None:
    for action in (store.get, store.delete):
        with pytest.raises(ScenarioError, match="nobody") as refused:
            action("nobody")
        assert refused.value.kind == "not_found"


def test_an_export_can_be_imported_elsewhere(store: Scenarios, tmp_path: Path) -> None:
    store.save("A", GROWING, {"way_gw": "openai/gpt-4.1"})
    store.save("나", Workload())
    other = Scenarios(open_engine(f"sqlite:///{tmp_path / 'other.db'}"))

    found, problems = other.load(store.export().encode())

    assert problems == []
    assert [(one.name, one.workload, one.parameters) for one in other.all()] == [
        (one.name, one.workload, one.parameters) for one in store.all()
    ]
    assert len(found) == 2


def test_a_file_is_taken_whole_or_not_at_all(store: Scenarios) -> None:
    good = {"name": "good", "workload": {}}
    text = json.dumps({"format": scenarios.FORMAT, "version": 1, "scenarios": [good, {"name": "bad", "workload": []}]})

    with pytest.raises(ScenarioError, match=r"scenarios\[2\]\.workload"):
        store.load(text)

    assert store.all() == []


def wrapped(entry: Any, **more: Any) -> str:
    return json.dumps({"format": scenarios.FORMAT, "version": 1, "scenarios": [entry], **more})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        ("[" * 100_000, "not_json"),
        ("null", "wrong_format"),
        ("[1]", "wrong_format"),
        ('{"format": "other", "version": 1, "scenarios": []}', "wrong_format"),
        (wrapped({}, version=2), "other_version"),
        (wrapped({}, version="1"), "other_version"),
        (wrapped("text"), "bad_field"),
        (wrapped({"name": 3, "workload": {}}), "bad_field"),
        (wrapped({"name": "a", "workload": {"requests_per_month": [1]}}), "bad_field"),
        (wrapped({"name": "a", "workload": {"requests_per_month": True}}), "bad_field"),
        (wrapped({"name": "a", "workload": {}, "parameters": {"way_gw": 1}}), "bad_field"),
        (wrapped({"name": "a", "workload": {}, "parameters": {str(k): "" for k in range(99)}}), "bad_field"),
        (wrapped({"name": " ", "workload": {}}), "name_empty"),
        (" " * 1_000_001, "file_too_large"),
        (json.dumps({"format": scenarios.FORMAT, "version": 1, "scenarios": [{}] * 201}), "too_many"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_reason(text: str, kind: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse(text)

    assert refused.value.kind == kind
    assert str(refused.value)


def test_values_out_of_range_in_a_file_are_clamped_and_named() -> None:
    found, problems = parse(
        wrapped({"name": "a", "workload": {"horizon_months": 600, "growth_per_month": 10, "requests_per_month": "NaN"}})
    )

    assert found[0].workload.horizon_months == 60
    assert found[0].workload.growth_per_month == 1
    assert {problem.field for problem in problems} == {"horizon_months", "growth_per_month", "requests_per_month"}


def test_a_full_store_says_so_and_keeps_what_it_had(store: Scenarios, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "MAX_SCENARIOS", 2)
    store.save("A", GROWING)
    store.save("B", GROWING)

    with pytest.raises(ScenarioError) as refused:
        store.save("C", GROWING)

    assert refused.value.kind == "too_many"
    assert [one.name for one in store.all()] == ["A", "B"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(json_values, json_values, json_values)
def test_no_file_does_more_than_be_refused(name: Any, workload: Any, parameters: Any) -> None:
    text = wrapped({"name": name, "workload": workload, "parameters": parameters})

    try:
        found, _ = parse(text)
    except ScenarioError:
        return

    assert parse(dump(found))[0] == found


@given(st.builds(Workload, requests_per_month=st.integers(1, 10**11), growth_per_month=st.floats(-0.5, 1)))
def test_every_workload_survives_a_file(workload: Workload) -> None:
    found, problems = parse(dump([Scenario(name="a", workload=workload)]))

    assert problems == []
    assert found[0].workload == workload
