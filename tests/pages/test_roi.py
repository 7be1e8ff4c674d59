"""Does the ROI page answer first, reproduce the article, and stay whole whatever its address says?"""

from __future__ import annotations

import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import OpenPage, assert_whole

OWN = {"roi_source": "own", "roi_migration": "7442", "roi_fee": "29", "roi_rate": "0"}


def metrics(at: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in at.metric}


def table(at: AppTest, column: str) -> Any:
    """The table that has this column: "note" the figures, "running" the months, "printed" the article."""
    return next(one.value for one in at.dataframe if column in one.value)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_answers_with_four_figures_first(open_page: OpenPage, lang: str) -> None:
    at = open_page("roi", lang=lang)

    assert len(at.metric) == 4
    assert all(one.value != "–" for one in at.metric)
    assert len(at.get("plotly_chart")) == 3
    assert not any(re.search(r"\broi\.\w+", str(one.value)) for one in at.markdown)


def test_a_migration_worked_by_hand_is_shown(open_page: OpenPage) -> None:
    """4,500 today, 750 + 29 after: 3,721 a month, so 7,442 is paid back after two months and earned five times."""
    at = open_page("roi", query=OWN)

    shown = metrics(at)
    assert shown["Saving per month"] == "$3.72K"
    assert shown["Payback"] == "2.0 months"
    assert shown["NPV over 12 months"] == "$37.2K"
    figures = {row["name"]: row["value"] for _, row in table(at, "note").iterrows()}
    assert figures["ROI"] == "500.0%"
    assert figures["Total cost, new way"] == "$16,790.00"
    assert list(table(at, "running")["running"])[:3] == [-7_442, -3_721, 0]


def test_the_article_s_example_is_one_click(open_page: OpenPage) -> None:
    at = open_page("roi", query={"months": "36", "grow": "0.05"})
    at.button(key="roi_article").click().run()

    assert_whole(at)
    figures = {row["name"]: (row["value"], row["note"]) for _, row in table(at, "note").iterrows()}
    assert figures["Saving per month"] == ("$3,721.00", "82.7%")
    assert figures["ROI"][0] == "–"
    assert "undefined" in figures["ROI"][1]
    assert figures["Payback"][0] == "at once"
    assert table(at, "running")["running"].iloc[-1] == 44_652


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_article_s_figures_stand_beside_what_they_should_say(open_page: OpenPage, lang: str) -> None:
    rows = table(open_page("roi", lang=lang), "printed")

    assert list(rows["printed"]) == ["$4,500", "$779", "$3,721", "83.3%", "$44,652", "153,972%", "–", "–"]
    assert [rows["should"].iloc[place] for place in (3, 6, 7)] == ["82.7%", "12,831%", "477.7%"]
    assert rows["should"].iloc[5] in {"undefined", "정의되지 않음"}
    assert all(rows["why"])


def test_renting_can_be_one_of_the_ways(open_page: OpenPage) -> None:
    at = open_page("roi", query={"roi_to": "rent", "req": "5000000"})

    assert len(at.metric) == 4


def test_equal_ways_are_refused_in_one_sentence(open_page: OpenPage) -> None:
    at = open_page("roi", query={"roi_from": "rent", "roi_to": "rent"})

    assert not at.metric
    assert any("Both ways are the same" in one.value for one in at.info)


def test_more_savings_never_delay_payback_on_the_page(open_page: OpenPage) -> None:
    months = [
        float(metrics(open_page("roi", query=OWN | {"roi_new": usd}))["Payback"].split()[0])
        for usd in ("3000", "1500", "0")
    ]

    assert months == sorted(months, reverse=True)


def test_a_loss_is_never_paid_back(open_page: OpenPage) -> None:
    at = open_page("roi", query=OWN | {"roi_new": "9000"})

    assert metrics(at)["Payback"] == "never"


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(
    "query",
    [
        {"roi_rate": "-100"},
        {"roi_rate": "nan", "roi_migration": "-5"},
        {"roi_source": "own", "roi_now": "0", "roi_new": "0", "roi_migration": "0"},
        {"roi_source": "own", "roi_now": "1e9", "roi_new": "0", "roi_migration": "1e-9", "roi_rate": "-99"},
        {"roi_source": "<script>", "roi_from": "nobody/nothing", "sh_model": "🤖"},
        {"way_models": "nothing"},
        {"way_models": "", "v": "1"},
        {"way_gw": "google/gemini-2.5-flash", "roi_to": "gateway", "way_gw_fee": "1e6"},
        {"roi_to": "rent", "months": "60", "req": "100000000000", "cur": "KRW"},
        {"months": "1", "req": "1", "in": "1", "out": "0"},
        {"roi_migration": "1e9", "roi_fee": "1e9", "roi_rate": "1000"},
    ],
    ids=lambda query: "&".join(query),
)
def test_hostile_addresses_are_answered_in_words(open_page: OpenPage, query: dict[str, str], lang: str) -> None:
    at = open_page("roi", lang=lang, query=query)

    assert not at.error
    assert at.metric or at.info


def test_a_rate_of_minus_100_percent_is_corrected_in_words(open_page: OpenPage) -> None:
    at = open_page("roi", query={"roi_rate": "-100"})

    assert any("Discount rate" in one.value and "-100" in one.value.replace("\\", "") for one in at.warning)


def test_the_plan_s_first_month_and_uncertainty_hold_here_too(open_page: OpenPage) -> None:
    sure = {
        f"monthly_cost_{name}": "0"
        for name in (
            "requests_spread", "growth_spread_per_month", "tokens_spread", "price_spread_per_year", "monthly_noise",
            "retry_spread", "cached_spread", "seasonality_spread",
        )
    }  # fmt: skip
    at = open_page("roi", query={"monthly_cost_start": "2027-06-01", "req": "5000000"} | sure)

    assert list(table(at, "running")["month"])[1:3] == ["2027-06", "2027-07"]
    figures = {row["name"]: row["value"] for _, row in table(at, "note").iterrows()}
    spread = figures["Payback P10 · P50 · P90"].replace(" months", "").split(" · ")
    assert len(set(spread)) == 1  # without doubts, all futures are the plan


def test_own_machines_cost_the_same_on_every_page(open_page: OpenPage) -> None:
    """The choices of "rent or call" hold wherever a fleet is priced."""
    run = {"req": "3000000", "sh_model": "qwen2.5-72b", "sh_staff_fte": "1.5", "sh_redundancy": "2", "months": "3"}
    bill = metrics(open_page("self_host", query=run))["Renting the cheapest fleet"]

    assert metrics(open_page("overview", query=run))["Own fleet on rented GPUs"] == bill
    months = table(open_page("roi", query=run | {"roi_to": "rent"}), "running")["after"]
    assert bill == f"${months.iloc[1] / 1_000:.3g}K /mo"
    at = open_page("monthly_cost", query=run | {"way_rent": "qwen2.5-72b"})
    assert f"{months.iloc[1]:,.2f}" in " ".join(str(one.value) for one in at.markdown)


def test_today_s_way_is_the_baseline_of_the_monthly_plan(open_page: OpenPage) -> None:
    at = open_page("roi", query={"monthly_cost_baseline": "anthropic/claude-sonnet-4-6"})

    assert at.selectbox(key="roi_from").value == "anthropic/claude-sonnet-4-6"
    assert at.selectbox(key="roi_to").value == "google/gemini-2.5-flash"
