"""Does the bulk path give exactly what single quotes give?"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from core.costs.tokens import NoPriceError, TokenUsage, quote
from core.costs.tokens_bulk import PriceTable, bulk_pico_usd, total_pico_usd
from tests.core.costs.test_tokens import NOON, PLAIN, TIERED, row, sheet

PEAK = sheet(row("input", "1"), row("input", "3", window=(0, 60)), row("output", "2"))


def test_every_row_costs_what_its_quote_costs() -> None:
    rng = np.random.default_rng(7)
    wanted = [(PLAIN, NOON, "standard"), (TIERED, NOON, "standard"), (PEAK, NOON, "standard")]
    wanted.append((PEAK, NOON.replace(hour=0, minute=30), "standard"))
    place = rng.integers(0, 4, 3_000)
    tokens = rng.integers(0, 400_000, 3_000)
    tokens[:2] = 200_000, 200_001
    place[:2] = 1
    cached = (tokens * rng.random(3_000)).astype(np.int64)
    output = rng.integers(0, 5_000, 3_000)
    found = bulk_pico_usd(
        PriceTable.of(wanted), place, input_tokens=tokens, cached_input_tokens=cached, output_tokens=output
    )
    for number in range(3_000):
        usage = TokenUsage(
            input_tokens=int(tokens[number]), cached_input_tokens=int(cached[number]), output_tokens=int(output[number])
        )
        one, at, processing = wanted[place[number]]
        assert found[number] == quote(one, usage, at, processing).pico_usd
    assert total_pico_usd(found) == sum(found.tolist())


def test_a_sum_beyond_the_integers_of_the_machine_is_still_exact() -> None:
    assert total_pico_usd(np.full(10, 2**62 - 1)) == 10 * (2**62 - 1)


def test_no_rows_cost_nothing() -> None:
    table = PriceTable.of([(PLAIN, NOON, "standard")])
    assert len(bulk_pico_usd(table, np.array([], dtype=np.intp), input_tokens=[])) == 0


def test_a_used_part_without_a_price_is_refused() -> None:
    table = PriceTable.of([(sheet(row("input", "1")), NOON, "standard"), (PLAIN, NOON, "standard")])
    assert bulk_pico_usd(table, np.array([0, 1]), input_tokens=[1, 1], output_tokens=[0, 5]).tolist()[0] == 1_000_000
    with pytest.raises(NoPriceError, match="output_tokens"):
        bulk_pico_usd(table, np.array([0, 1]), input_tokens=[1, 1], output_tokens=[5, 0])


@pytest.mark.parametrize(
    ("tokens", "word"),
    [
        ({"input_tokens": [-1]}, "input_tokens"),
        ({"input_tokens": [5], "cached_input_tokens": [6]}, "exceed input_tokens"),
        ({"input_tokens": [5, 5]}, "2 rows"),
        ({"inputs": [5]}, "inputs"),
        ({"input_tokens": [10**14]}, "split it"),
    ],
)
def test_columns_that_make_no_sense_are_refused(tokens: dict[str, list[int]], word: str) -> None:
    table = PriceTable.of([(sheet(row("input", "100000"), row("output", "1")), NOON, "standard")])
    with pytest.raises(ValueError, match=word):
        bulk_pico_usd(table, np.array([0]), **tokens)


def test_a_place_outside_the_table_is_refused() -> None:
    table = PriceTable.of([(PLAIN, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "standard")])
    for place in (-1, 1):
        with pytest.raises(ValueError, match="outside the table"):
            bulk_pico_usd(table, np.array([place]), input_tokens=[1])
