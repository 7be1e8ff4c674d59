"""The spend page: empty, with the sample, with imports, in both languages, with hostile input."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog import TokenUsage, open_catalog
from core.catalog.database import open_engine
from core.usage.files import imported_files
from core.usage.rollup import total
from core.usage.sample import load_sample
from core.usage.tables import create_tables
from pages.parts.usage_data import prices_of
from tests.conftest import LANGS
from tests.pages.conftest import OpenPage

PRICES = {"input": 2_000_000, "cache_read": 500_000, "output": 8_000_000}
HEADING = (
    "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_cached,model_permaslug,provider_name,"
    "cancelled,finish_reason_normalized"
)


def export_of(*, model: str = "openai/gpt-4.1-2025-04-14", cost: str = "0.006", count: int = 3) -> bytes:
    day = time.strftime("%Y-%m-%d", time.gmtime())
    rows = [f"gen-{n},{day} 00:00:0{n},{cost},1000,500,100,{model},OpenAI,false,stop" for n in range(count)]
    return "\n".join([HEADING, *rows, "gen-bad,yesterday,1,1,1,0,m,p,false,stop"]).encode()


@pytest.fixture
def sample_url(database_url: str) -> str:
    engine = open_engine(database_url)
    create_tables(engine)
    load_sample(engine, lambda *_: PRICES, now_s=time.time())
    engine.dispose()
    return database_url


def upload(at: AppTest, data: bytes, name: str = "activity.csv") -> AppTest:
    at.get("file_uploader")[0].upload(name, data, "text/csv")
    return at.run()


def texts(at: AppTest) -> str:
    shown: list[Any] = [*at.markdown, *at.caption, *at.info, *at.warning, *at.error, *at.success, *at.title]
    return "\n".join(str(one.value) for one in shown)


@pytest.mark.parametrize(("lang", "title"), [("en", "What was really spent?"), ("ko", "실제로 얼마를 썼나?")])
def test_an_empty_log_says_what_fills_it(open_page: OpenPage, lang: str, title: str) -> None:
    at = open_page("usage", lang=lang)

    assert at.title[0].value == title
    assert at.button(key="usage_load_sample")
    assert not at.metric


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("view", ["day", "model", "provider", "outcome", "waste", "what_if"])
def test_every_view_is_drawn_in_both_languages(open_page: OpenPage, sample_url: str, lang: str, view: str) -> None:
    at = open_page("usage", lang=lang, query={"usage_view": view})

    assert len(at.metric) == 4
    assert at.dataframe
    assert "–" not in at.metric[0].value


def test_the_sample_is_loaded_by_one_click_and_marked(open_page: OpenPage) -> None:
    at = open_page("usage")
    at.button(key="usage_load_sample").click().run()

    assert not at.exception
    assert len(at.metric) == 4
    assert "Invented sample data" in texts(at)


def test_the_sample_is_removed_by_one_click(open_page: OpenPage, sample_url: str) -> None:
    at = open_page("usage")
    next(button for button in at.button if str(button.key).startswith("usage_remove_")).click().run()

    assert not at.exception
    assert "No calls are logged yet" in texts(at)


def test_measured_usage_becomes_the_workload_by_one_click(open_page: OpenPage, sample_url: str) -> None:
    at = open_page("usage")
    at.button(key="usage_take_workload").click().run()

    assert not at.exception
    assert "now the workload of every page" in texts(at)
    assert at.session_state["_workload"].name == "Measured"
    assert 1_000 < at.session_state["_workload"].requests_per_month < 5_000


def test_filters_come_from_the_address(open_page: OpenPage, sample_url: str) -> None:
    everything = open_page("usage")
    one = open_page("usage", query={"usage_models": "gemini-2.5-flash", "usage_days": "7"})

    assert one.metric[1].value != everything.metric[1].value
    assert one.session_state["usage_models"] == ["gemini-2.5-flash"]


@pytest.mark.parametrize(
    "query",
    [
        {"usage_days": "1e9", "usage_source": "<script>", "usage_view": "'; DROP TABLE usage_log"},
        {"usage_models": ["x" * 5_000], "usage_providers": "\u202e", "usage_outcomes": "nothing"},
    ],
)
def test_a_hostile_address_falls_back(open_page: OpenPage, sample_url: str, query: dict[str, Any]) -> None:
    at = open_page("usage", query=query)

    assert len(at.metric) == 4


def test_an_export_is_previewed_imported_and_recognised_again(open_page: OpenPage, database_url: str) -> None:
    at = upload(open_page("usage"), export_of())
    assert [one.value for one in at.metric] == ["3", "0", "0", "1"]
    at.button(key="usage_import_button").click().run()

    assert not at.exception
    assert "3 rows imported (" in texts(at)
    engine = open_engine(database_url)
    assert total(engine).request_count == 3
    engine.dispose()
    again = upload(open_page("usage"), export_of())
    assert "Every row of this file is in the log already." in texts(again)


def bill_of(*, first_age: int, days: int, per_day: int = 4) -> bytes:
    """A LiteLLM log of `days` days, the first of them `first_age` days ago, `per_day` calls an hour apart."""
    rows = ["request_id,startTime,model,custom_llm_provider,prompt_tokens,completion_tokens,spend"]
    for age in range(first_age - days + 1, first_age + 1):
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - age * 86_400))
        rows += [f"c{age}-{n},{day}T0{n}:00:00Z,gpt-4.1,openai,1000,500,0.006" for n in range(per_day)]
    return "\n".join(rows).encode()


@pytest.mark.parametrize(
    ("first_age", "period", "said"), [(9, "30", "30 days"), (58, "90", "90 days"), (800, "all", "All")]
)
def test_an_imported_bill_is_shown_and_measured_whole(
    open_page: OpenPage, first_age: int, period: str, said: str
) -> None:
    query = {"usage_providers": "openai", "usage_outcomes": "error"}
    at = upload(open_page("usage", query=query), bill_of(first_age=first_age, days=10))
    at.button(key="usage_import_button").click().run()

    assert not at.exception
    assert at.session_state["usage_days"] == period
    assert f"The period “{said}” holds them all." in texts(at)
    assert at.metric[1].value == "40"
    assert "(days with data: 10)" in texts(at)
    assert "Not measured, kept from the current workload: growth." in texts(at)
    at.button(key="usage_take_workload").click().run()
    # 4 a day x 365 / 12 = 121.67; each hour of calls has 1, the mean hour 4 / 24.
    assert at.session_state["_workload"].requests_per_month == 122
    assert at.session_state["_workload"].peak_to_average == 6.0


def test_the_workload_is_that_of_the_chosen_period(open_page: OpenPage, database_url: str) -> None:
    at = upload(open_page("usage"), bill_of(first_age=58, days=10))
    at.button(key="usage_import_button").click().run()
    at.segmented_control(key="usage_days").set_value("30").run()

    assert "No calls match" in texts(at)
    assert not [one for one in at.button if one.key == "usage_take_workload"]


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_batch_rows_without_a_cost_are_priced_as_a_quote_of_their_day(
    open_page: OpenPage, database_url: str, share: float
) -> None:
    # 1,000 requests of 10,000 plain and 90,000 cached tokens in, 100 out: 0.01 + 0.045 + 0.0004 USD each.
    with open_catalog(database_url) as catalog:
        usage = TokenUsage(input_tokens=100_000, cached_input_tokens=90_000, output_tokens=100)
        assert catalog.quote("openai/gpt-4.1", usage, processing="batch").cost_usd == Decimal("0.0554")
        if share:
            catalog.llm.set_discount("openai", share, "")
    start = int(time.time()) // 86_400 * 86_400 - 86_400
    result = {
        "model": "gpt-4.1", "batch": True, "num_model_requests": 1_000, "input_tokens": 100_000_000,
        "input_cached_tokens": 90_000_000, "output_tokens": 100_000,
    }  # fmt: skip
    page = {"data": [{"start_time": start, "end_time": start + 86_400, "results": [result]}]}
    at = upload(open_page("usage", query={"usage_view": "what_if"}), json.dumps(page).encode(), "usage.json")
    at.button(key="usage_import_button").click().run()

    # A discount of today changes what the tokens would cost now, not what they cost yesterday.
    assert at.metric[0].value == "$55.40"
    table = next(one.value for one in at.dataframe if "change" in one.value)
    costs = dict(zip(table["model"], table["cost"], strict=True))
    assert costs["openai/gpt-4.1"] == pytest.approx(55.4 * (1 - share))
    assert costs["google/gemini-2.5-flash"] == pytest.approx(10 * 0.15 + 90 * 0.03 + 0.1 * 1.25)
    assert "Not measured, kept from the current workload: growth, spread of lengths." in texts(at)


@pytest.mark.parametrize("hour", [2, 12])
def test_todays_prices_do_not_depend_on_the_hour(database_url: str, monkeypatch: pytest.MonkeyPatch, hour: int) -> None:
    # DeepSeek's peak hours are 1 to 4 and 6 to 10 o'clock UTC.
    moment = dt.datetime(2026, 11, 25, hour, tzinfo=dt.UTC)
    for module in ("tokens_mix", "tokens_hours"):
        monkeypatch.setattr(f"core.costs.{module}.as_utc", lambda at: at or moment)
    with open_catalog(database_url) as catalog:
        found = prices_of(catalog, "deepseek/deepseek-v4-flash", "standard", 1_000)

    assert found is not None
    assert found["output"] == 600_000


def test_a_single_row_is_spoken_of_as_one(open_page: OpenPage) -> None:
    at = upload(open_page("usage"), export_of(count=1))
    assert at.button(key="usage_import_button").label == "Import 1 row"
    at.button(key="usage_import_button").click().run()

    assert "1 row imported (" in texts(at)


def test_json_lines_are_taken(open_page: OpenPage) -> None:
    day = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime())
    row = f'{{"timestamp": "{day}", "model": "gpt-4.1", "input_tokens": 1, "output_tokens": 1}}'
    at = upload(open_page("usage"), f"{row}\n{row.replace('gpt-4.1', 'gpt-4o')}\n".encode(), "usage.jsonl")

    assert [one.value for one in at.metric] == ["2", "0", "0", "0"]
    assert "Table of your own" in texts(at)


@pytest.mark.parametrize(("lang", "month_day"), [("en", "%b %-d"), ("ko", "%-m월 %-d일")])
@pytest.mark.parametrize(("days", "ages"), [(1, (1,)), (2, (2, 1)), (10, (10, 8, 6, 4, 2))])
def test_the_day_chart_names_days_in_the_readers_language(
    open_page: OpenPage, lang: str, month_day: str, days: int, ages: tuple[int, ...]
) -> None:
    at = upload(open_page("usage", lang=lang), bill_of(first_age=days, days=days))
    at.button(key="usage_import_button").click().run()

    axis = json.loads(at.get("plotly_chart")[0].proto.spec)["layout"]["xaxis"]
    wanted = [time.gmtime(time.time() - age * 86_400) for age in ages]
    assert axis["tickvals"] == [time.strftime("%Y-%m-%d", day) for day in wanted]
    assert [text.partition("<br>")[0] for text in axis["ticktext"]] == [time.strftime(month_day, day) for day in wanted]
    # The whole of the first and of the last day is in view.
    assert [end[11:] for end in axis["range"]] == ["12:00:00", "12:00:00"]


def test_an_unknown_model_is_asked_for(open_page: OpenPage, database_url: str) -> None:
    at = upload(open_page("usage"), export_of(model="acme/secret-model-9", cost=""))
    assert "Which models are these?" in texts(at)
    at.selectbox(key="usage_map_0").select("openai/gpt-4.1").run()
    at.button(key="usage_import_button").click().run()

    engine = open_engine(database_url)
    found = total(engine)
    engine.dispose()
    # 3 x (900 x 2 + 100 x 0.5 + 500 x 8) USD per million tokens
    assert found.pico_usd == 3 * 5_850_000_000
    assert found.cost_computed_count == 3


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            b"id,traceId,totalCost\n1,2,3\n",
            "id, traceId, totalCost. Nearest is “Table of your own”, which also needs",
        ),
        (b'{"timestamp": 1}\n{"cut', "Line 2 of the file is broken or cut off"),
        (b"\x00\x01\x02\xff", "The file is not UTF-8 text"),
        (b"", "The file is empty"),
        (b'{"data": [', "The file is broken or cut off"),
        (HEADING.encode(), "no rows"),
    ],
)
def test_a_foreign_file_is_refused_in_one_sentence(open_page: OpenPage, data: bytes, sentence: str) -> None:
    at = upload(open_page("usage"), data)

    assert not at.exception
    assert sentence in at.error[0].value


def test_names_in_a_file_are_shown_as_text(open_page: OpenPage, database_url: str) -> None:
    at = upload(open_page("usage"), export_of(model="![x](http://evil/y) <b>"), "**bold** <script>.csv")
    at.button(key="usage_import_button").click().run()

    assert not at.exception
    assert "![x](" not in texts(at)
    engine = open_engine(database_url)
    assert len(imported_files(engine)) == 1
    engine.dispose()


def test_a_broken_database_is_one_sentence(open_page: OpenPage, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    at = open_page("usage", url=f"sqlite:///{broken}")

    assert not at.exception
    assert "damaged" in at.error[0].value


def test_a_korean_date_at_the_start_of_a_sentence_is_no_numbered_list(open_page: OpenPage, sample_url: str) -> None:
    at = open_page("usage", lang="ko")

    assert not [one.value for one in (*at.caption, *at.markdown) if re.match(r"\d+\. ", str(one.value))]


def test_a_choice_that_is_not_offered_is_replaced_by_one_that_is_named(open_page: OpenPage, sample_url: str) -> None:
    at = open_page("usage", query={"usage_days": "x", "usage_source": "x", "usage_view": "x"})

    box = at.warning[0].value.replace("\\", "")
    assert all(f"the default ({name})" in box for name in ("30 days", "Sample (invented)", "By day"))
