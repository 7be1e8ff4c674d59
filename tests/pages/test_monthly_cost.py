"""The monthly cost page answers in both languages and survives what an address may carry."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.database import open_engine
from core.catalog.scenarios import Scenarios
from core.i18n import t
from core.workload import Workload
from pages.parts import state
from tests.conftest import LANGS
from tests.pages.conftest import OpenPage, assert_whole

VIEWS = ("months", "total", "parts", "moves", "why", "saved", "article")
MODELS = ["google/gemini-2.5-flash", "openai/gpt-4.1"]


def texts(at: AppTest) -> str:
    found = [*at.markdown, *at.caption, *at.warning, *at.info, *at.error, *at.success]
    return "\n".join(str(one.value) for one in found).replace("\\", "")


def summary_rows(at: AppTest) -> list[list[str]]:
    """The cells of the table of ways, without its heading."""
    table = next(one.value for one in at.markdown if one.value.startswith("| "))
    lines = [line for line in table.replace("\\", "").split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def ways_shown(at: AppTest) -> list[str]:
    return [cells[0] for cells in summary_rows(at)]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn_in_both_languages(open_page: OpenPage, lang: str, view: str) -> None:
    at = open_page("monthly_cost", lang=lang, query={"monthly_cost_view": view})

    assert len(at.metric) == 4
    assert at.get("plotly_chart")


def test_the_articles_first_workload_costs_what_list_prices_say(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"way_models": MODELS, "insd": "0", "outsd": "0"})

    # 50,000 x (1,500 x 0.30 + 500 x 2.50) / 1e6 and 50,000 x (1,500 x 2 + 500 x 8) / 1e6.
    assert at.metric[0].value == "$85.00 /mo"
    assert at.metric[1].value == "$350 /mo"
    assert at.metric[2].value == "$3.18K"


def test_a_table_of_ways_carries_its_units_in_the_heading_only(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", lang="ko", query={"way_models": MODELS, "cur": "KRW", "insd": "0", "outsd": "0"})

    assert summary_rows(at)[0][:3] == ["Gemini 2.5 Flash", "119,000", "119,000"]


def test_moving_the_growth_slider_changes_the_answer(open_page: OpenPage) -> None:
    at = open_page("monthly_cost")
    before = at.metric[0].delta

    at.slider(key="wl_growth_per_month_slider").set_value(20.0).run()

    assert_whole(at)
    assert at.metric[0].delta != before


@pytest.mark.parametrize(("lang", "page", "name"), [("en", "monthly_cost", "GPT-4.1 mini"), ("ko", "overview", "GPT")])
def test_a_budget_adds_the_chance_that_it_is_exceeded_and_by_whom(
    open_page: OpenPage, lang: str, page: str, name: str
) -> None:
    before = open_page(page, lang=lang, query={"way_models": ["openai/gpt-4.1-mini"]})
    over = open_page(page, lang=lang, query={"way_models": ["openai/gpt-4.1-mini"], "budget": "1"})
    under = open_page(page, lang=lang, query={"way_models": ["openai/gpt-4.1-mini"], "budget": "1000"})

    assert [one.label for one in over.metric[:-1]] == [one.label for one in before.metric]
    assert (over.metric[-1].value, under.metric[-1].value) == ("100%", "0%")
    # 12 x 1 against 12 x 70, and 12 x 1,000: 828 over, 11,160 under.
    assert over.metric[-1].delta.startswith(name)
    assert "$828" in over.metric[-1].delta
    assert ("$11.2K" if lang == "en" else "$11,200") in under.metric[-1].delta
    assert "$12" in over.metric[-1].proto.help.replace("\\", "")


@pytest.mark.parametrize("page", ["monthly_cost", "overview"])
def test_a_bill_that_changes_is_that_of_the_first_month(open_page: OpenPage, page: str) -> None:
    query = {"way_models": ["openai/gpt-4.1-mini"]}
    steady, grown = open_page(page, query=query), open_page(page, query=query | {"grow": "0.1"})

    assert steady.metric[0].value == "$70.00 /mo"
    assert grown.metric[0].value == "$70.00"
    assert "first month" in grown.metric[0].delta


@pytest.mark.parametrize(("view", "key"), [("parts", "monthly_cost_way"), ("why", "monthly_cost_why_way")])
def test_the_cheapest_way_is_looked_at_first(open_page: OpenPage, view: str, key: str) -> None:
    at = open_page("monthly_cost", query={"monthly_cost_view": view})

    assert at.selectbox(key=key).value == "GPT-4.1 mini"
    at.selectbox(key=key).set_value("GPT-4.1").run()
    assert at.selectbox(key=key).value == "GPT-4.1"


def test_every_assumption_is_explained_and_a_slider_reaches_what_its_field_takes(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"grow": "1"})

    assert at.slider(key="wl_growth_per_month_slider").value == 100
    at.segmented_control(key="monthly_cost_group").set_value("assumptions").run()
    fields = [one for one in at.number_input if one.key.startswith("monthly_cost_")]
    assert len(fields) == 9
    assert all(one.help for one in fields)


def test_huge_amounts_are_written_as_powers_of_ten(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"req": "100000000000", "in": "1000000", "grow": "1", "months": "60"})

    assert "×10" in at.metric[2].value
    assert "e+" not in at.get("plotly_chart")[0].proto.spec


def test_a_gateway_and_a_mix_are_ways_too(open_page: OpenPage) -> None:
    query = {
        "way_models": MODELS, "way_gw": MODELS[0], "way_mix": f"{MODELS[0]}:80,{MODELS[1]}:20",
    }  # fmt: skip
    at = open_page("monthly_cost", query=query)

    names = ways_shown(at)
    assert set(names) >= {"Mix of models"}
    assert any("gateway" in name for name in names)
    assert len(names) == 4


@pytest.mark.parametrize("view", ["months", "parts", "moves", "why"])
def test_own_machines_are_a_way_too(open_page: OpenPage, view: str) -> None:
    query = {"way_models": MODELS, "way_rent": "llama-3.3-70b", "monthly_cost_view": view, "retry": "0.1"}
    at = open_page("monthly_cost", query=query)

    # How many GPUs and that they are rented is said: one GPU does not hold the model.
    assert any(re.fullmatch(r"Llama 3.3 70B on \d+ × .+, rented", name) for name in ways_shown(at))


def test_shares_that_do_not_add_up_are_named_and_the_rest_stays(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"way_mix": f"{MODELS[0]}:80,{MODELS[1]}:30"})

    assert "110" in texts(at)
    assert len(at.metric) == 4


HOSTILE: list[dict[str, Any]] = [
    {"req": "0", "months": "0", "grow": "-99"},
    {"req": "1e99", "months": "600", "grow": "10", "in": "1e30", "out": "-1", "budget": "-5"},
    {"req": "nan", "months": "abc", "grow": "inf", "cached": "0.9", "cwrite": "0.9", "batch": "2"},
    {"way_models": ["nobody/nothing"], "way_gw": "../../etc", "way_gw_fee": "nan", "way_vat": "1e9"},
    {"way_models": [""], "way_mix": "a:b:c,,,:"},
    {"way_mix": "nobody/x:100", "monthly_cost_view": "<script>", "monthly_cost_start": "2026-13-45"},
    {"monthly_cost_start": "0001-01-01", "monthly_cost_requests_spread": "1e9", "monthly_cost_monthly_noise": "-3"},
    {"monthly_cost_start": "9999-12-31", "months": "60", "grow": "1", "req": "100000000000"},
    {"name": "**[x](javascript:alert(1))** $\\frac", "monthly_cost_baseline": "💥" * 50},
]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_a_tampered_link_leaves_the_page_whole(open_page: OpenPage, lang: str, query: dict[str, Any]) -> None:
    open_page("monthly_cost", lang=lang, query=query)


@pytest.mark.parametrize("view", ["parts", "moves", "why", "total"])
def test_a_single_month_is_drawn_in_every_view(open_page: OpenPage, view: str) -> None:
    open_page("monthly_cost", query={"months": "1", "monthly_cost_view": view})


def test_no_way_at_all_says_what_to_do(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"way_models": [""]})

    assert not at.metric
    assert "Nothing to compare yet" in texts(at)


def test_prices_before_a_model_existed_are_unknown_and_never_zero(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"way_models": ["openai/gpt-4.1"], "monthly_cost_start": "2025-01-01"})

    assert "has no price from 2025-01" in texts(at)
    assert "$0" not in " ".join(str(metric.value) for metric in at.metric)


def test_a_plan_is_saved_opened_copied_and_deleted(open_page: OpenPage, database_url: str) -> None:
    at = open_page("monthly_cost", query={"monthly_cost_view": "saved", "req": "77000", "way_gw": MODELS[0]})
    assert "No saved plan yet" in texts(at)

    at.text_input(key="monthly_cost_save_name").set_value("Plan A").run()
    at.button(key="monthly_cost_save").click().run()
    assert "Saved: Plan A" in texts(at)
    store = Scenarios(open_engine(database_url))
    assert store.get("Plan A").workload.requests_per_month == 77_000
    assert store.get("Plan A").parameters["way_gw"] == MODELS[0]

    at.number_input(key="wl_requests_per_month").set_value(5_000).run()
    at.button(key="monthly_cost_open").click().run()
    assert_whole(at)
    assert at.number_input(key="wl_requests_per_month").value == 77_000

    at.button(key="monthly_cost_copy").click().run()
    assert [one.name for one in store.all()] == ["Plan A", "Plan A (copy)"]
    assert at.selectbox(key="monthly_cost_compare_a").value == "Plan A"

    at.button(key="monthly_cost_delete").click().run()
    assert_whole(at)
    assert len(store.all()) == 1


def test_a_saved_plan_that_rents_keeps_how_its_machines_are_run(open_page: OpenPage, database_url: str) -> None:
    rents = {"way_models": MODELS[:1], "way_rent": "llama-3.3-70b", "sh_staff_fte": "1.5", "sh_precision": "fp16"}
    at = open_page("monthly_cost", query={"monthly_cost_view": "saved"} | rents)
    before = [one.value for one in at.metric]
    at.text_input(key="monthly_cost_save_name").set_value("Rented").run()
    at.button(key="monthly_cost_save").click().run()
    kept = Scenarios(open_engine(database_url)).get("Rented").parameters
    assert {key: kept[key] for key in ("way_rent", "sh_staff_fte", "sh_precision")} == {
        "way_rent": "llama-3.3-70b", "sh_staff_fte": "1.5", "sh_precision": "fp16",
    }  # fmt: skip

    at = open_page("monthly_cost", query={"monthly_cost_view": "saved"})
    assert [one.value for one in at.metric] != before
    at.button(key="monthly_cost_open").click().run()
    assert_whole(at)
    assert at.session_state["sh_staff_fte"] == 1.5
    assert [one.value for one in at.metric] == before


def test_a_plan_without_a_name_is_refused_in_one_sentence(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"monthly_cost_view": "saved"})

    at.button(key="monthly_cost_save").click().run()

    assert "Give the plan a name." in texts(at)


def test_two_saved_plans_are_compared_with_their_own_inputs(open_page: OpenPage, database_url: str) -> None:
    store = Scenarios(open_engine(database_url))
    store.save("small", Workload(input_spread=0), {"way_models": MODELS[1]})
    store.save("large", Workload(requests_per_month=500_000, input_spread=0), {"way_models": MODELS[1]})
    at = open_page("monthly_cost", query={"monthly_cost_view": "saved"})

    # 350 a month and ten times that, for twelve months; by name, `large` comes first.
    found = next(table.value for table in at.dataframe if "total0" in table.value)
    assert found["total0"].iloc[0] == pytest.approx(42_000)
    assert found["total1"].iloc[0] == pytest.approx(4_200)


def test_the_articles_table_is_shown_to_the_cent(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"monthly_cost_view": "article", "cur": "KRW"})

    table = next(one.value for one in at.dataframe if "direct_printed" in one.value)
    assert list(table["gateway"]) == [275, 4_125, 22_000, 137_500]
    assert list(table["direct"]) == [800, 12_000, 64_000, 400_000]
    assert list(table["direct_printed"]) == [850, 12_000, 64_000, 400_000]
    listed = next(one.value for one in at.dataframe if "openai/gpt-4.1" in one.value)
    assert list(listed["google/gemini-2.5-flash"]) == pytest.approx([85, 1_275, 6_800, 42_500])
    assert list(listed["openai/gpt-4.1"]) == pytest.approx([350, 5_250, 28_000, 175_000])


def test_why_this_number_adds_up_to_the_cell(open_page: OpenPage) -> None:
    query = {"monthly_cost_view": "why", "way_models": MODELS[1], "grow": "0.05", "cached": "0.4", "insd": "0"}
    at = open_page("monthly_cost", query=query)

    lines = next(one.value for one in at.dataframe if "mtok" in one.value)
    first = float(summary_rows(at)[0][1].replace(",", ""))
    assert lines["amount"].sum() == pytest.approx(first, abs=0.005)
    assert lines["source"].str.len().min() > 0


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("view", "picker"), [("parts", "monthly_cost_way"), ("why", "monthly_cost_why_way")])
def test_own_machines_are_billed_line_by_line(open_page: OpenPage, view: str, picker: str, lang: str) -> None:
    query = {"way_models": MODELS[:1], "way_rent": "llama-3.3-70b", "monthly_cost_view": view}
    at = open_page("monthly_cost", lang=lang, query=query)

    box = at.selectbox(key=picker)
    box.set_value(next(name for name in box.options if "Llama 3.3 70B" in name)).run()

    assert_whole(at)
    drawn = [trace["name"] for chart in at.get("plotly_chart") for trace in json.loads(chart.proto.spec)["data"]
             if "name" in trace]  # fmt: skip
    shown = " ".join([str(one.value) for one in [*at.markdown, *at.dataframe]] + drawn)
    assert ("staff" if lang == "en" else "인력") in shown
    assert "component_" not in shown


def test_how_a_line_is_processed_is_said_in_korean(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", lang="ko", query={"monthly_cost_view": "why", "batch": "0.5"})
    shown = next(one.value for one in at.dataframe if "processing" in one.value)

    assert {"표준", "배치"} <= set(shown["processing"].dropna()) <= {"표준", "배치", "표준, 피크 시간"}


def test_looking_at_the_ways_compared_changes_no_baseline(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"way_models": ["google/gemini-2.5-pro", "anthropic/claude-sonnet-4-5"]})
    before = [(one.label, one.value) for one in at.metric]

    at.segmented_control(key="monthly_cost_group").set_value("ways").run()
    at.segmented_control(key="monthly_cost_view").set_value("total").run()
    assert at.selectbox(key="monthly_cost_baseline_field").value == "anthropic/claude-sonnet-4-5"
    assert [(one.label, one.value) for one in at.metric] == before
    assert "monthly_cost_baseline" not in at.query_params

    at.selectbox(key="monthly_cost_baseline_field").set_value("google/gemini-2.5-pro").run()
    assert at.query_params["monthly_cost_baseline"] == "google/gemini-2.5-pro"
    assert at.metric[1].label == "Gemini 2.5 Pro"


@pytest.mark.parametrize("page", ["monthly_cost", "overview"])
def test_a_price_change_between_today_and_the_first_month_is_said(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setattr(state, "today", lambda: dt.date(2026, 11, 29))
    at = open_page(page, query={"way_models": ["google/gemini-4-argon", "openai/gpt-4.1"]})
    sentence = "Gemini 4 Argon: the price change announced for Dec 1, 2026 is counted"

    assert sentence in texts(at)
    if page == "monthly_cost":
        assert "price change: Gemini 4 Argon" in at.get("plotly_chart")[0].proto.spec
    monkeypatch.setattr(state, "today", lambda: dt.date(2026, 12, 2))
    assert sentence not in texts(open_page(page, query={"way_models": ["google/gemini-4-argon"]}))


def test_the_parts_of_a_discounted_bill_are_shares_of_what_it_is_before(open_page: OpenPage) -> None:
    """1,500 x 2 + 500 x 8 = 7,000, of which 4,000 are output; half of it is billed."""
    query = {"way_models": "", "way_gw": MODELS[1], "way_gw_off": "50", "way_gw_fee": "0", "way_vat": "0"}
    at = open_page("monthly_cost", query=query | {"monthly_cost_view": "parts"})

    assert "57% of the bill before its discount is output tokens" in texts(at)


@pytest.mark.parametrize("lang", LANGS)
def test_the_report_states_every_input_that_is_not_its_default(
    open_page: OpenPage, files_made: list[bytes], lang: str
) -> None:
    query = {
        "req": "77777", "season": "0.3", "retry": "0.125", "budget": "500", "fx": "1388.5", "way_models": MODELS,
        "way_gw": MODELS[0], "way_gw_off": "5", "way_mix": f"{MODELS[0]}:80,{MODELS[1]}:20",
    }  # fmt: skip
    at = open_page("monthly_cost", lang=lang, query=query)
    told = html.unescape(files_made[-1].decode())

    for name, value in (
        ("requests_per_month", "77,777"), ("seasonality", "30"), ("retry_share", "12.5"),
        ("budget_usd_per_month", "500"),
    ):  # fmt: skip
        assert f"{t(f'workload.field_{name}', lang)}: {value}" in told
    assert f"{t('monthly_cost.discount', lang)}: 5" in told
    assert "GPT-4.1: 20.0%" in told
    assert "1,388.5" in told
    assert "req=77777" in told.split("href=")[-1]
    assert ("±30% season · 12.5% retries" if lang == "en" else "계절 변동 ±30% · 재시도 12.5%") in texts(at)


@pytest.mark.parametrize(
    ("query", "first", "low"),
    [({"req": "20"}, "0.0280", "0.272"), ({"req": "1", "in": "1", "out": "0"}, "0.000000300", "0.00000216")],
)
def test_small_amounts_keep_three_digits_in_the_table(
    open_page: OpenPage, query: dict[str, str], first: str, low: str
) -> None:
    _, found, _, total, band, *_ = summary_rows(open_page("monthly_cost", query=query))[0]

    assert (found, band) == (first, low)
    assert float(total) == pytest.approx(12 * float(first))


def test_the_rate_is_shown_as_it_is_used_and_undated_prices_beside_the_oldest(open_page: OpenPage) -> None:
    at = open_page("monthly_cost", query={"cur": "KRW", "fx": "1388.5", "insd": "0", "outsd": "0"})

    assert summary_rows(at)[0][1] == "97,195"  # 70 x 1,388.5
    assert "1 USD = 1,388.5 won" in texts(at)
    assert "days, :orange-badge[some undated]" in texts(at)
    dated = open_page("monthly_cost", query={"way_models": MODELS})
    assert "undated" not in texts(dated)


@pytest.mark.parametrize("page", ["monthly_cost", "overview"])
def test_one_month_is_no_plural_and_a_month_with_a_season_is_named(open_page: OpenPage, page: str) -> None:
    single = open_page(page, query={"months": "1"})
    shown = " ".join(f"{one.label} {one.delta}" for one in single.metric) + texts(single)
    assert "1 month" in shown
    assert "1 months" not in shown

    at = open_page(page, query={"season": "0.5", "monthly_cost_start": "2026-12-01", "way_models": MODELS})
    assert at.metric[0].value == "$128"  # 85 x 1.5, December being the busiest month
    assert "in Dec 2026, season included" in at.metric[0].delta
    if page == "overview":
        assert "(in Dec 2026, season included), the cheapest that sells it" in texts(at)
