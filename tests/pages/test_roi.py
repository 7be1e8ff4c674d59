"""Does the ROI page answer first, reproduce the article, and stay whole whatever its address says?"""

from __future__ import annotations

import html
import json
import re

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import LANGS
from tests.pages.conftest import OpenPage, assert_whole

CHECKED = "The article's ROI of 153,972%, checked"
OWN = {"roi_source": "own", "roi_migration": "7442", "roi_fee": "29", "roi_rate": "0"}


def metrics(at: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in at.metric}


def months(at: AppTest) -> pd.DataFrame:
    """The cash flow of every month, which is one click away."""
    at.session_state["roi_flows"] = True
    at.run()
    found: pd.DataFrame = next(one.value for one in at.dataframe if "running" in one.value)
    return found


def small_table(at: AppTest, heading: str) -> list[list[str]]:
    """The lines of the plain table one of whose headings is this; the headings first."""
    text = next(one.value for one in at.markdown if one.value.startswith("|") and f" {heading} |" in one.value)
    lines = [[cell.strip().replace("\\", "") for cell in line.split(" | ")] for line in text.splitlines()]
    return [[line[0].lstrip("| "), *line[1:-1], line[-1].rstrip(" |")] for line in (lines[0], *lines[2:])]


def figures_of(at: AppTest, heading: str = "Note") -> dict[str, list[str]]:
    """Value and note of each figure by its name."""
    return {name: rest for name, *rest in small_table(at, heading)[1:]}


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_answers_with_four_figures_first(open_page: OpenPage, lang: str) -> None:
    at = open_page("roi", lang=lang)

    assert len(at.metric) == 4
    assert all(one.value != "–" for one in at.metric)
    assert len(at.get("plotly_chart")) == 2
    assert not any(re.search(r"\broi\.\w+", str(one.value)) for one in at.markdown)


def test_a_migration_worked_by_hand_is_shown(open_page: OpenPage) -> None:
    """4,500 today, 750 + 29 after: 3,721 a month, so 7,442 is paid back after two months and earned five times."""
    at = open_page("roi", query=OWN)

    shown = metrics(at)
    assert shown["Saving per month"] == "$3.72K"
    assert shown["Payback"] == "2.0 months"
    assert shown["NPV over 12 months"] == "$37.2K"
    figures = figures_of(at)
    assert figures["ROI"][0] == "500.0%"
    assert figures["Total cost, new way"][0] == "$16,790.00"
    assert list(months(at)["running"])[:3] == [-7_442, -3_721, 0]


def test_the_article_s_example_is_one_click(open_page: OpenPage) -> None:
    at = open_page("roi", query={"months": "36", "grow": "0.05"})
    at.button(key="roi_article").click().run()

    assert_whole(at)
    # What is wrong in it stands open below the answer, no longer closed at the end of the page.
    assert at.header[0].value == CHECKED
    assert CHECKED not in [one.label for one in at.expander]
    figures = figures_of(at)
    assert figures["Saving per month"] == ["$3,721.00", "82.7%"]
    assert figures["ROI"][0] == "–"
    assert "undefined" in figures["ROI"][1]
    assert figures["Payback"][0] == "at once"
    assert months(at)["running"].iloc[-1] == 44_652


@pytest.mark.parametrize("lang", LANGS)
def test_the_article_s_figures_stand_beside_what_they_should_say(open_page: OpenPage, lang: str) -> None:
    rows = small_table(open_page("roi", lang=lang), {"en": "Printed", "ko": "기사 표기"}[lang])[1:]

    assert [row[1] for row in rows] == ["$4,500", "$779", "$3,721", "83.3%", "$44,652", "153,972%", "–", "–"]
    assert [rows[place][2] for place in (3, 6, 7)] == ["82.7%", "12,831%", "477.7%"]
    assert rows[5][2] in {"undefined", "정의되지 않음"}
    assert all(row[3] for row in rows)


def test_renting_can_be_one_of_the_ways(open_page: OpenPage) -> None:
    at = open_page("roi", query={"roi_to": "rent", "req": "5000000"})

    assert len(at.metric) == 4


def test_equal_ways_are_refused_in_one_sentence(open_page: OpenPage) -> None:
    at = open_page("roi", query={"roi_from": "rent", "roi_to": "rent"})

    assert not at.metric
    assert any("Both ways are the same" in one.value for one in at.info)


def test_more_savings_never_delay_payback_on_the_page(open_page: OpenPage) -> None:
    paybacks = [
        float(metrics(open_page("roi", query=OWN | {"roi_new": usd}))["Payback"].split()[0])
        for usd in ("3000", "1500", "0")
    ]

    assert paybacks == sorted(paybacks, reverse=True)


def test_a_loss_is_never_paid_back(open_page: OpenPage) -> None:
    at = open_page("roi", query=OWN | {"roi_new": "9000"})

    assert metrics(at)["Payback"] == "never"


@pytest.mark.parametrize("lang", LANGS)
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


@pytest.mark.parametrize(("lang", "sentence"), [
    ("en", "Up-front cost (USD): -500 is too small, so 0 is used. Enter a number from 0 to 1,000,000,000."),
    ("ko", "초기 전환 비용 (USD): -500 값은 허용 범위보다 작아 0 값을 사용합니다. "
           "0~1,000,000,000 범위의 숫자를 입력하세요."),
])  # fmt: skip
def test_a_typed_number_that_cannot_be_used_is_answered_below_its_field(
    open_page: OpenPage, lang: str, sentence: str
) -> None:
    at = open_page("roi", lang=lang, query={"v": "1", "roi_source": "own"})
    before = metrics(at)
    at.number_input(key="roi_migration").set_value(-500).run()
    at.number_input(key="roi_rate").set_value(-100).run()

    assert_whole(at)
    said = [one.value.replace("\\", "") for one in at.warning]
    assert said[0] == sentence
    assert "-100" in said[1]
    assert "-99" in said[1]
    assert (at.number_input(key="roi_migration").value, at.number_input(key="roi_rate").value) == (0, -99)
    assert metrics(at) != before
    at.number_input(key="roi_migration").set_value(700).run()
    assert len(at.warning) == 1  # a good number takes its sentence back, the other stays


def test_no_field_of_the_page_refuses_a_number_in_the_browser(open_page: OpenPage) -> None:
    """With limits there, Streamlit turns the field red and tells the program nothing."""
    at = open_page("roi", query={"roi_source": "own"})

    assert {one.key for one in at.number_input} >= {"roi_now", "roi_new", "roi_migration", "roi_fee", "roi_rate"}
    assert [one.key for one in at.number_input if one.proto.has_min or one.proto.has_max] == []


def test_a_choice_that_is_not_offered_is_answered_with_the_name_of_the_one_that_holds(open_page: OpenPage) -> None:
    at = open_page("roi", lang="ko", query={"roi_to": "nobody/x", "sh_country": "XX", "roi_fee": "1e10"})

    said = " ".join(one.value.replace("\\", "") for one in at.warning)
    assert "새 방식: ‘nobody/x’ 값은 선택지에 없어 기본값(GPT-4.1 mini)을 사용합니다." in said
    assert "월 이용료 (USD): 10,000,000,000 값은 허용 범위보다 커서 1,000,000,000 값을 사용합니다." in said
    at = open_page("self_host", lang="ko", query={"sh_country": "XX", "sh_redundancy": "2.7"})
    said = " ".join(one.value.replace("\\", "") for one in at.warning)
    assert "서버 위치: ‘XX’ 값은 선택지에 없어 기본값(전체)을 사용합니다." in said
    assert "2.7 값은 정수가 아니어서 2 값을 사용합니다" in said


def test_a_loss_keeps_its_sign_beyond_what_digits_say(open_page: OpenPage) -> None:
    query = {"roi_fee": "1000000000", "roi_migration": "1000000000"}

    note = next(one.delta for one in open_page("roi", query=query).metric if one.label == "Saving per month")
    assert note == "under -1,000,000%"
    note = next(one.delta for one in open_page("roi", lang="ko", query=query).metric if one.label == "월 절감액")
    assert note == "-1,000,000% 미만"


def test_one_month_is_no_plural(open_page: OpenPage) -> None:
    at = open_page("roi", query=OWN | {"months": "1"})

    assert "NPV over 1 month" in metrics(at)
    assert not re.search(r"\b1 months", " ".join(str(one.value) for one in at.markdown))


def test_a_rate_of_return_of_minus_100_percent_is_said_in_words(open_page: OpenPage) -> None:
    """A billion up front for 265 a month: the yearly rate is -99.9999... %, which is never -100 %."""
    value, note = figures_of(open_page("roi", query=OWN | {"roi_migration": "1e9", "months": "6"}))["IRR per year"]

    assert value == "under -99.9%"
    assert note == "nearly all that is paid up front is lost"


def test_a_rate_of_return_beyond_every_number_is_no_inflow(open_page: OpenPage) -> None:
    at = open_page("roi", query={"roi_source": "own", "roi_now": "1e9", "roi_migration": "1e-9"})
    _, note = figures_of(at)["IRR per year"]

    assert "money received" not in note


@pytest.mark.parametrize(("query", "title"), [
    (OWN | {"roi_migration": "100"}, "The NPV is above 0 in all 25 cases"),
    (OWN | {"roi_new": "9000"}, "The NPV is above 0 in none of 25 cases"),
])  # fmt: skip
def test_the_grid_counts_all_and_none_in_words_and_its_axes_in_percent(
    open_page: OpenPage, query: dict[str, str], title: str
) -> None:
    at = open_page("roi", query=query)

    assert any(title in one.value for one in at.markdown)
    heads, first, *_ = small_table(at, "300%")
    assert (heads[1:], first[0]) == (["50%", "100%", "150%", "200%", "300%"], "**50%**")
    assert {"green" if "all" in title else "red"} == {one[1:].partition("-")[0] for one in first[1:]}


def test_the_running_sums_are_named_at_their_ends(open_page: OpenPage) -> None:
    spec = json.loads(open_page("roi", query=OWN).get("plotly_chart")[0].proto.spec)

    assert spec["layout"]["showlegend"] is False
    assert {"Running sum", "Discounted"} <= {one["text"] for one in spec["layout"]["annotations"]}


def test_the_chance_says_what_varies(open_page: OpenPage) -> None:
    explained = next(one.help for one in open_page("roi").metric if one.label == "Chance of payback")

    assert explained.startswith("Share of 10,000 simulated futures in which the savings cover the up-front cost within")
    for varied in (
        "level, growth, season, single months, retries",
        "token lengths, cache hits and list prices",
        "speed",
    ):
        assert varied in explained.split("What does not")[0]


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

    assert list(months(at)["month"])[1:3] == ["2027-06", "2027-07"]
    spread = figures_of(at)["Payback P10 · P50 · P90"][0].replace(" months", "").split(" · ")
    assert len(set(spread)) == 1  # without doubts, all futures are the plan


def test_own_machines_cost_the_same_on_every_page(open_page: OpenPage) -> None:
    """The choices of "rent or call" hold wherever a fleet is priced."""
    run = {"req": "3000000", "sh_model": "qwen2.5-72b", "sh_staff_fte": "1.5", "sh_redundancy": "2", "months": "3"}
    bill = metrics(open_page("self_host", query=run))["Renting the cheapest fleet"]

    assert metrics(open_page("overview", query=run))["Own fleet on rented GPUs"] == bill
    bills = months(open_page("roi", query=run | {"roi_to": "rent"}))["after"]
    assert bill == f"${bills.iloc[1] / 1_000:.3g}K /mo"
    at = open_page("monthly_cost", query=run | {"way_rent": "qwen2.5-72b"})
    assert f"{bills.iloc[1]:,.2f}" in " ".join(str(one.value) for one in at.markdown)


def test_today_s_way_is_the_baseline_of_the_monthly_plan(open_page: OpenPage) -> None:
    at = open_page("roi", query={"monthly_cost_baseline": "anthropic/claude-sonnet-4-6"})

    assert at.selectbox(key="roi_from").value == "anthropic/claude-sonnet-4-6"
    assert at.selectbox(key="roi_to").value == "openai/gpt-4.1-mini"  # the cheapest of the others


def test_a_payback_beyond_the_horizon_is_no_never(open_page: OpenPage) -> None:
    """265 USD a month pay 9,000 back, only not within twelve months."""
    at = open_page("roi", query={"roi_to": "google/gemini-2.5-flash", "roi_migration": "9000"})

    payback = next(one for one in at.metric if one.label == "Payback")
    assert payback.value == "> 12 months"
    assert payback.delta == "at the last month's saving, about month 34"
    assert figures_of(at)["Payback"][0] == "> 12 months"


def test_without_an_up_front_cost_none_is_spoken_of(open_page: OpenPage) -> None:
    own = {"roi_source": "own", "roi_migration": "0"}
    loss = open_page("roi", query=own | {"roi_now": "1000", "roi_new": "900", "roi_fee": "200"})
    nothing = open_page("roi", query=own | {"roi_now": "100", "roi_new": "100"})

    assert figures_of(loss)["Payback"] == ["never", "the new way costs more than today's"]
    assert any("Nothing is paid up front and nothing is saved" in one.value for one in nothing.markdown)


def test_a_case_that_loses_each_month_is_never_paid_back_in_the_grid(open_page: OpenPage) -> None:
    """Half of a saving of 100 is less than the fee of 60."""
    own = {"roi_source": "own", "roi_now": "1000", "roi_new": "900", "roi_fee": "60", "roi_migration": "100"}
    _, half, *_ = small_table(open_page("roi", query=own), "300%")

    assert half[0] == "**50%**"
    assert all("never" in cell for cell in half[1:])


def test_today_is_the_dearest_way_as_on_the_other_pages_and_goes_with_the_plan(open_page: OpenPage) -> None:
    pair = ["google/gemini-2.5-pro", "anthropic/claude-sonnet-4-5"]
    at = open_page("roi", query={"way_models": pair})
    overview = open_page(query={"way_models": pair})

    assert (at.selectbox(key="roi_from").value, at.selectbox(key="roi_to").value) == (pair[1], pair[0])
    assert "against Claude Sonnet 4.5" in next(one.delta for one in overview.metric if one.label.startswith("Saving"))

    at.session_state["roi_ways"] = True
    at.run()
    at.multiselect(key="way_models").set_value([*pair, "openai/gpt-4.1"]).run()
    assert_whole(at)
    assert at.selectbox(key="roi_from").value == "openai/gpt-4.1"  # what savings are compared with, once it is there
    at.selectbox(key="roi_from").set_value(pair[0]).run()
    at.multiselect(key="way_models").set_value(pair).run()
    assert at.selectbox(key="roi_from").value == pair[0]  # chosen, so it stays


def test_the_report_states_the_workload_and_the_rate_as_they_are_used(
    open_page: OpenPage, files_made: list[bytes]
) -> None:
    open_page("roi", query={"req": "77777", "season": "0.3", "fx": "1388.5"})
    told = html.unescape(files_made[-1].decode())

    assert "Requests per month: 77,777" in told
    assert "Seasonal swing (%): 30" in told
    assert "1 USD = 1,388.5 KRW" in told
