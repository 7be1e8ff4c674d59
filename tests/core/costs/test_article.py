"""The article's figures, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.costs.article import reproduced_rows, roi_example

ROWS = {row.printed.scenario: row for row in reproduced_rows()}


@pytest.mark.parametrize(
    ("scenario", "gateway", "direct", "saving", "percent"),
    [
        ("mvp", "275.00", "800.00", "525.00", 66),
        ("growth", "4125.00", "12000.00", "7875.00", 66),
        ("mid", "22000.00", "64000.00", "42000.00", 66),
        ("large", "137500.00", "400000.00", "262500.00", 66),
    ],
)
def test_two_flat_prices_give_the_table(scenario: str, gateway: str, direct: str, saving: str, percent: int) -> None:
    row = ROWS[scenario]

    assert (row.gateway_usd, row.direct_usd, row.saving_usd) == (Decimal(gateway), Decimal(direct), Decimal(saving))
    assert row.saving_percent == percent


def test_only_the_direct_cost_of_the_first_row_follows_from_no_rule() -> None:
    assert {name: row.misprints[:1] for name, row in ROWS.items()} == {
        "mvp": ("direct_usd",), "growth": (), "mid": (), "large": (),
    }  # fmt: skip
    assert ROWS["mvp"].printed.direct_usd == 850


def test_printed_savings_follow_from_the_printed_costs_in_every_row() -> None:
    for row in ROWS.values():
        printed = row.printed

        assert printed.saving_usd == printed.direct_usd - printed.gateway_usd
        assert printed.saving_percent == round(printed.saving_usd / printed.direct_usd * 100)


def test_the_articles_own_code_gives_none_of_its_rows() -> None:
    assert [str(row.code_usd) for row in ROWS.values()] == ["279.00", "3779.00", "20029.00", "125029.00"]
    assert all(row.code_usd != row.printed.gateway_usd for row in ROWS.values())


def test_the_roi_example_is_a_years_saving_over_one_months_fee() -> None:
    roi = roi_example()

    assert (roi.mtok_per_month, roi.current_usd, roi.gateway_total_usd) == (300, 4_500, 779)
    assert (roi.saving_usd_per_month, roi.saving_usd_per_year) == (3_721, 44_652)
    assert roi.printed_roi_percent == 153_972
    assert round(roi.printed_saving_share * 100, 1) == Decimal("83.3")
    assert round(roi.saving_share_after_fee * 100, 2) == Decimal("82.69")
    assert round(roi.roi_share_on_year_of_fees * 100) == 12_831
    assert round(roi.roi_share_on_gateway_spend * 100, 1) == Decimal("477.7")
