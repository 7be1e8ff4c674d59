"""Bills by output share: every point is a bill, and a crossing is where two bills are equal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.api_bills import api_bill
from core.costs.tokens import PriceSheet
from core.costs.tokens_shares import output_counts, share_curves
from core.workload import LIMITS, Workload
from tests.core.costs.test_tokens import NOON, TIERED, row, sheet

FLAT = replace(
    sheet(
        row("input", "1"), row("output", "8"), row("input", "2", window=(0, 60)), row("output", "16", window=(0, 60)),
        row("input", "0.5", processing="batch"), row("output", "4", processing="batch"),
    ),
    model_id="flat",
)  # fmt: skip


def plain(name: str, input_usd: str, output_usd: str) -> PriceSheet:
    return replace(sheet(row("input", input_usd), row("output", output_usd)), model_id=name)


# The first look at peak hours may take longer than hypothesis allows on a busy machine.
@settings(deadline=None, max_examples=50)
@given(
    st.builds(
        Workload,
        input_tokens=st.integers(1, 10_000_000),
        output_tokens=st.integers(0, 1_000_000),
        input_spread=st.sampled_from([0.0, 0.6]),
        batch_share=st.floats(0, 1),
        peak_hour_share=st.floats(0, 1),
        retry_share=st.floats(0, 1),
    )
)
def test_every_point_is_the_bill_of_a_workload_with_as_many_tokens(workload: Workload) -> None:
    found = share_curves([FLAT, TIERED], workload, NOON)
    counts = output_counts(workload)

    assert found is not None
    assert workload.output_tokens in counts
    total = workload.input_tokens + workload.output_tokens
    for place in {0, len(counts) // 2, counts.index(workload.output_tokens), len(counts) - 1}:
        one = replace(workload, input_tokens=total - counts[place], output_tokens=counts[place])
        for priced in (FLAT, TIERED):
            bill = api_bill(priced, one, NOON)
            assert bill is not None
            assert found.usd_per_month[priced.key][place] == pytest.approx(bill.usd_per_month)


@pytest.mark.parametrize(("tokens", "output"), [(1_000, 80), (1_000_000, 80_000), (640, 1)])
def test_a_crossing_is_where_both_cost_the_same(tokens: int, output: int) -> None:
    # 0.3 (1 - s) + 2.5 s = 0.4 (1 - s) + 1.6 s, so 0.9 s = 0.1 (1 - s).
    sheets = [plain("flash", "0.3", "2.5"), plain("mini", "0.4", "1.6"), plain("dear", "3", "15")]
    found = share_curves(sheets, Workload(input_tokens=tokens - output, output_tokens=output), NOON)

    assert found is not None
    assert (found.cheapest, found.other) == ("maker/flash", "maker/mini")
    assert found.until == pytest.approx(0.1)


def test_nothing_cheaper_later_and_no_price_are_said() -> None:
    unpriced = replace(sheet(row("input", "1")), model_id="unpriced")
    found = share_curves([plain("a", "1", "2"), plain("b", "1", "2"), unpriced], Workload(), NOON)

    assert found is not None
    assert (found.cheapest, found.other, found.until) == ("maker/a", None, None)
    assert list(found.usd_per_month) == ["maker/a", "maker/b"]
    assert share_curves([unpriced], Workload(), NOON) is None


def test_the_ends_are_workloads_too() -> None:
    largest = {name: int(LIMITS[name].high) for name in ("input_tokens", "output_tokens")}

    assert output_counts(Workload(input_tokens=1, output_tokens=0)) == [0]
    assert output_counts(Workload(**largest)) == [largest["output_tokens"]]
