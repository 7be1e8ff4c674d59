"""Summaries from the roll-ups say what the log says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from core.catalog.database import DatabaseProblem, open_engine
from core.usage.entries import MAX_INT
from core.usage.rollup import Filters, Totals, choices, covered_days, total, totals, wasted
from core.usage.tables import create_tables
from core.usage.write import write
from tests.core.usage.helpers import NOON_MS, assert_log_and_rollups_agree, entry_of

DAY_MS = 86_400_000
NOON = dt.datetime.fromtimestamp(NOON_MS / 1_000, tz=dt.UTC).date()


def call_with_failover(engine: Engine, call_id: str = "f", **changes: object) -> None:
    """One call: the first endpoint fails after half an answer, the second answers."""
    write(
        engine,
        [
            entry_of(call_id, 0, attempt_count=2, failover_count=1, model_reported="b", pico_usd=9, **changes),
            entry_of(call_id, 1, outcome="error", error_kind="upstream", model_reported="a", pico_usd=4, **changes),
            entry_of(call_id, 2, model_reported="b", pico_usd=5, **changes),
        ],
    )


def test_an_empty_log_sums_to_nothing(engine: Engine) -> None:
    assert totals(engine) == []
    assert total(engine) == Totals()
    assert covered_days(engine) == []
    assert total(engine).latency_ms(0.5) is None


def test_calls_and_attempts_are_counted_apart(engine: Engine) -> None:
    call_with_failover(engine)

    assert total(engine).request_count == 1
    assert total(engine).failover_count == 1
    assert total(engine, level="attempt").request_count == 2
    assert total(engine).pico_usd == total(engine, level="attempt").pico_usd == 9


def test_cost_belongs_to_the_model_of_each_attempt(engine: Engine) -> None:
    call_with_failover(engine)

    assert {row.key[0]: row.pico_usd for row in totals(engine, by=["model"], level="attempt")} == {"a": 4, "b": 5}


def test_wasted_money_is_what_failed_and_broken_attempts_cost(engine: Engine) -> None:
    call_with_failover(engine)
    write(engine, [entry_of("p", 0, outcome="partial"), entry_of("p", 1, outcome="partial", pico_usd=7)])

    assert {row.key[0]: row.pico_usd for row in wasted(engine)} == {"error": 4, "partial": 7}
    assert wasted(engine, Filters(outcomes=("ok",))) == []


def test_the_model_asked_for_stands_in_when_none_answered(engine: Engine) -> None:
    write(engine, [entry_of("e", 0, outcome="error", model_asked="gpt-9", model_reported="")])

    assert totals(engine, by=["model"])[0].key == ("gpt-9",)
    assert total(engine, Filters(models=("gpt-9",))).request_count == 1


def test_filters_take_whole_days_both_ends_included(engine: Engine) -> None:
    for offset in range(4):
        write(engine, [entry_of(f"d{offset}", started_ms=NOON_MS + offset * DAY_MS)])

    chosen = Filters(since=NOON + dt.timedelta(days=1), until=NOON + dt.timedelta(days=2))
    assert [row.day for row in totals(engine, chosen, by=["day"])] == [chosen.since, chosen.until]
    assert covered_days(engine, chosen) == [chosen.since, chosen.until]


def test_quiet_days_are_covered_within_a_source_and_not_between_two(engine: Engine) -> None:
    # The gateway's days 0 and 2, one import's days 1 to 2, another's days 10 and 12.
    for name, number, day in (("a", 0, 0), ("b", 0, 2), ("c", 1, 1), ("d", 1, 2), ("e", 2, 10), ("f", 2, 12)):
        origin = "import" if number else "gateway"
        write(engine, [entry_of(name, started_ms=NOON_MS + day * DAY_MS, origin=origin, import_id=number)])

    assert [(day - NOON).days for day in covered_days(engine)] == [0, 1, 2, 10, 11, 12]
    assert [(day - NOON).days for day in covered_days(engine, Filters(origins=("import",)))] == [1, 2, 10, 11, 12]


def test_hours_are_told_apart(engine: Engine) -> None:
    write(engine, [entry_of("a"), entry_of("b", started_ms=NOON_MS + 3_600_000)])

    assert [row.request_count for row in totals(engine, by=["hour", "outcome"])] == [1, 1]


def test_an_unknown_cost_makes_the_sum_a_lower_bound(engine: Engine) -> None:
    write(engine, [entry_of("a"), entry_of("b", pico_usd=None, cost_basis="unknown")])

    assert total(engine).is_lower_bound
    assert total(engine).cost_usd == Decimal("0.006")


def test_only_unknown_costs_are_unknown_not_zero(engine: Engine) -> None:
    write(engine, [entry_of("b", pico_usd=None, cost_basis="unknown")])

    assert total(engine).cost_usd is None


def test_sums_beyond_nine_million_dollars_stay_exact(engine: Engine) -> None:
    write(engine, [entry_of(str(number), pico_usd=MAX_INT) for number in range(100)])

    assert total(engine).pico_usd == 100 * MAX_INT


def test_the_choices_are_what_occurs(engine: Engine) -> None:
    call_with_failover(engine)

    found = choices(engine)
    assert found["model"] == ["a", "b"]
    assert found["outcome"] == ["error", "ok"]
    assert found["provider"] == ["openai"]


def test_an_unknown_grouping_is_named(engine: Engine) -> None:
    with pytest.raises(ValueError, match="colour"):
        totals(engine, by=["colour"])  # type: ignore[list-item]


def test_a_missing_table_is_a_problem_not_a_driver_error(tmp_path: Path) -> None:
    bare = open_engine(f"sqlite:///{tmp_path / 'bare.db'}")

    with pytest.raises(DatabaseProblem):
        total(bare)
    bare.dispose()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ok", "error", "partial"]),
            st.sampled_from(["m1", "m2"]),
            st.none() | st.integers(min_value=0, max_value=10**13),
            st.integers(min_value=0, max_value=5),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_every_grouping_adds_up_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    calls: list[tuple[str, str, int | None, int]],
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('p') / 'u.db'}")
    create_tables(engine)
    write(
        engine,
        [
            entry_of(str(n), outcome=o, model_reported=m, pico_usd=cost, started_ms=NOON_MS + d * DAY_MS)
            for n, (o, m, cost, d) in enumerate(calls)
        ],
    )

    assert assert_log_and_rollups_agree(engine) == len(calls)
    whole = sum(cost or 0 for _, _, cost, _ in calls)
    for by in (["day"], ["model"], ["outcome"], ["day", "model"], ["provider", "hour"]):
        rows = totals(engine, by=by)
        assert sum(row.pico_usd for row in rows) == whole == total(engine).pico_usd
        assert sum(row.request_count for row in rows) == len(calls)
    engine.dispose()
