"""The bill of an API: by hand, along its line, and none without a price."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.api_bills import api_bill, api_cost_usd, billed_mtok
from core.workload import Workload
from tests.core.costs.test_tokens import NOON, PLAIN, row, sheet

LOAD = Workload(requests_per_month=1_000, input_tokens=1_000, output_tokens=100, retry_share=0.1)


def test_a_bill_by_hand() -> None:
    bill = api_bill(PLAIN, LOAD, NOON)
    # 1,000 x 2 + 100 x 8 = 2,800 micro-USD a request; 1,100 billed requests.
    assert bill is not None
    assert bill.key == "maker/model"
    assert bill.usd_per_request == pytest.approx(0.0028)
    assert bill.usd_per_month == pytest.approx(3.08)
    assert bill.notes == ()
    assert billed_mtok(LOAD) == pytest.approx(1.21)


def test_without_an_output_price_there_is_no_bill_and_a_replaced_price_is_noted() -> None:
    assert api_bill(sheet(row("input", "1")), LOAD, NOON) is None
    cached = Workload(cached_share=0.5)
    bill = api_bill(sheet(row("input", "1"), row("output", "2")), cached, NOON)
    assert bill is not None
    assert bill.notes == ("no_cache_read_price",)


@given(st.floats(0, 1e3), st.lists(st.floats(1, 1e11), min_size=1, max_size=5), st.floats(0, 1))
def test_the_cost_is_a_straight_line_through_the_bill(usd: float, volumes: list[float], retries: float) -> None:
    load = Workload(retry_share=retries)

    found = api_cost_usd(usd, load, np.array(volumes))

    assert found == pytest.approx([volume * usd * (1 + retries) for volume in volumes])
    assert api_cost_usd(usd, load, volumes[0]) == found[0]
