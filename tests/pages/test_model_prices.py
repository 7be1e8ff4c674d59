"""Does the model page show bills, filters, views and own prices, in both languages, whatever the address says?"""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from core.catalog import TokenUsage, open_catalog
from core.catalog.feeds.parsed import FeedError, ParsedModels
from core.catalog.llm_sources import MODEL_SOURCES, ModelSource
from core.i18n import said
from pages.parts import state
from tests.conftest import LANGS
from tests.pages.conftest import OpenPage, assert_whole

VIEWS = ("side", "history", "article", "tasks", "own", "feed")


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_opens_with_an_answer_and_a_table(open_page: OpenPage, lang: str) -> None:
    at = open_page("model_prices", lang=lang)
    assert len(at.metric) == 4
    assert all(one.value for one in at.metric)
    table = next(one.value for one in at.dataframe if "usd_per_month" in one.value and "rivals" in one.value)
    assert len(table) > 100
    assert table["usd_per_month"].is_monotonic_increasing


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn_in_both_languages(open_page: OpenPage, lang: str, view: str) -> None:
    at = open_page("model_prices", lang=lang, query={"mp_view": view})
    assert at.session_state["mp_view"] == view


def test_the_bill_is_the_list_price_times_the_tokens(open_page: OpenPage) -> None:
    query = {"req": "1000", "in": "1000000", "out": "1000", "insd": "0", "outsd": "0", "mp_providers": "openai"}
    at = open_page("model_prices", query=query)
    table = next(one.value for one in at.dataframe if "usd_per_month" in one.value and "rivals" in one.value)
    bill = table.loc[table["name"].str.lower() == "gpt-4.1", "usd_per_month"]
    assert bill.tolist() == pytest.approx([1000 * (2 + 0.008)])


def test_filters_from_the_address_hold(open_page: OpenPage) -> None:
    at = open_page("model_prices", query={"mp_providers": "anthropic", "mp_status": "retired", "mp_context": "128000"})
    table = next(one.value for one in at.dataframe if "usd_per_month" in one.value and "rivals" in one.value)
    assert set(table["provider"]) == {"anthropic"}
    assert set(table["status"]) == {"Retired"}
    assert table["context"].min() >= 128_000


def test_filters_that_nothing_passes_say_what_to_do(open_page: OpenPage) -> None:
    at = open_page("model_prices", query={"mp_cap": "0"})
    assert any("No model passes these filters" in one.value for one in at.info)


@pytest.mark.parametrize(
    "query",
    [
        {"mp_compare": "nobody/nothing", "mp_view": "what", "mp_cap": "much", "mp_context": "-5"},
        {"req": "100000000000", "in": "10000000", "out": "1000000", "cached": "1", "batch": "1"},
        {"out": "0", "mp_scope": "all", "mp_status": "any"},
        {"cur": "KRW", "mp_view": "side"},
        {
            "mp_compare": [
                f"openai/gpt-{name}" for name in ("4", "4o", "4.1", "4o-mini", "5", "5-mini", "5-nano", "5.1")
            ]
        },
    ],
)
def test_strange_and_extreme_addresses_are_drawn(open_page: OpenPage, query: dict[str, Any]) -> None:
    open_page("model_prices", query=query)


def test_the_article_table_says_which_discount_is_real(open_page: OpenPage) -> None:
    at = open_page("model_prices", query={"mp_view": "article"})
    table = next(one.value for one in at.dataframe if "printed" in one.value)
    assert table["printed"].tolist() == [47, 70, 76, 24]
    # 1,500 in and 500 out of GPT-4.1 blend to 3.50 USD per Mtok; the gateway's flat 8 is dearer.
    assert table["real"].tolist()[0] == pytest.approx((1 - 8 / 3.5) * 100)


def test_rivals_are_shown_with_both_figures(open_page: OpenPage) -> None:
    at = open_page("model_prices", query={"mp_compare": "mistral/mistral-large-latest"})
    table = next(one.value for one in at.dataframe if "rival" in one.value)
    assert (0.5, 2.0) in set(zip(table["used"], table["rival"], strict=True))


def test_an_own_price_is_stored_used_and_removed(open_page: OpenPage, database_url: str) -> None:
    at = open_page("model_prices", query={"mp_view": "own"})
    at.selectbox(key="mp_own_model").set_value("openai/gpt-4.1")
    at.text_input(key="mp_own_input").set_value("1.25")
    at.text_input(key="mp_own_reason").set_value("contract 7")
    at.button(key="FormSubmitter:mp_override-Save").click().run()
    assert_whole(at)
    with open_catalog(database_url) as catalog:
        assert str(catalog.quote("openai/gpt-4.1", TokenUsage(input_tokens=1_000_000)).cost_usd) == "1.250000000000"
    at.button(key="mp_drop_price_0").click().run()
    with open_catalog(database_url) as catalog:
        assert catalog.quote("openai/gpt-4.1", TokenUsage(input_tokens=1_000_000)).cost_usd == 2


@pytest.mark.parametrize("text", ["cheap", "-1", "1e400", "0.0000001", "nan"])
def test_an_own_price_that_is_no_price_is_one_sentence(open_page: OpenPage, text: str) -> None:
    at = open_page("model_prices", query={"mp_view": "own"})
    at.text_input(key="mp_own_input").set_value(text)
    at.button(key="FormSubmitter:mp_override-Save").click().run()
    assert_whole(at)
    assert any("is no price" in one.value for one in at.error)


@pytest.mark.parametrize("text", ["0,10", "1,250", "1,250.5", "1.250,5", ","])
def test_a_comma_in_an_own_price_is_not_guessed_at(open_page: OpenPage, database_url: str, text: str) -> None:
    at = open_page("model_prices", query={"mp_view": "own"})
    at.text_input(key="mp_own_input").set_value(text)
    at.button(key="FormSubmitter:mp_override-Save").click().run()

    assert [one.value for one in at.error if "may mean thousands or decimals" in one.value]
    with open_catalog(database_url) as catalog:
        assert catalog.llm.overrides() == []


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("component", ["input", "output", "cache_read"])
def test_an_own_price_of_any_component_in_use_is_called_own(
    open_page: OpenPage, database_url: str, lang: str, component: str
) -> None:
    with open_catalog(database_url) as catalog:
        catalog.llm.set_override("openai/gpt-4.1", {component: 10_000}, reason="")
    at = open_page("model_prices", lang=lang, query={"mp_compare": "openai/gpt-4.1", "cached": "0.3"})

    (line,) = [one.value for one in at.markdown if "badge" in one.value and "gpt-4.1**" in one.value.lower()]
    names = {"en": ("Input", "Output", "Cached input"), "ko": ("입력", "출력", "캐시 입력")}[lang]
    part = dict(zip(("input", "output", "cache_read"), names, strict=True))[component]
    assert {"en": f"own price: {part}; ", "ko": f"직접 입력한 가격: {part}; "}[lang] in line
    assert {"en": ":gray-badge[own price]", "ko": ":gray-badge[직접 입력]"}[lang] in line
    table = next(one.value for one in at.dataframe if "layer" in one.value)
    # The price beside the own one keeps its age in the line of sources.
    (sources,) = [one.value for one in at.caption if "Price sources" in one.value or "가격 출처" in one.value]
    assert sources.startswith(("Price sources: 2, ", "가격 출처 2곳"))
    own = table["layer"] == {"en": "own price", "ko": "직접 입력"}[lang]
    assert list(table.loc[own, "name"].str.lower()) == ["gpt-4.1"]


def test_an_own_price_of_a_component_without_tokens_is_not(open_page: OpenPage, database_url: str) -> None:
    with open_catalog(database_url) as catalog:
        catalog.llm.set_override("openai/gpt-4.1", {"cache_read": 10_000}, reason="")
    at = open_page("model_prices", query={"mp_compare": "openai/gpt-4.1", "cached": "0"})

    assert not [one.value for one in at.markdown if "own price" in one.value]


def test_it_is_said_beside_save_for_whom_a_price_holds(open_page: OpenPage) -> None:
    at = open_page("model_prices", query={"mp_view": "own"})

    assert [one.value for one in at.caption].count("Holds for all visitors of this server until removed.") == 2


@pytest.mark.parametrize("percent", [150.0, -1.0, 99.5])
def test_a_discount_beyond_its_limits_is_not_stored(open_page: OpenPage, database_url: str, percent: float) -> None:
    at = open_page("model_prices", query={"mp_view": "own"})
    at.number_input(key="mp_off_percent").set_value(percent)
    at.button(key="FormSubmitter:mp_discount-Save").click().run()

    assert [one.value for one in at.error] == ["Nothing saved: enter a discount from 0 to 99 (%)."]
    with open_catalog(database_url) as catalog:
        assert catalog.llm.discounts() == {}


def test_a_choice_that_is_not_offered_is_replaced_by_one_that_is_named(open_page: OpenPage) -> None:
    keys = ("scope", "status", "modality", "context", "view", "component")
    at = open_page("model_prices", query={f"mp_{key}": "x" for key in keys})

    (box,) = [one.value.replace("\\", "") for one in at.warning]
    assert box.count("so the default (") == box.count("is used.") == len(keys)
    assert all(
        name in box.replace("\\", "") for name in ("(Makers)", "(Current)", "(Any)", "(Side by side)", "(Output)")
    )


def test_the_bill_stands_beside_the_model(open_page: OpenPage) -> None:
    at = open_page("model_prices")
    table = next(one for one in at.dataframe if "batch_input" in one.value)

    assert list(table.value)[:2] == ["name", "usd_per_month"]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_lines_of_both_charts_are_named_at_their_ends(open_page: OpenPage, lang: str) -> None:
    at = open_page("model_prices", lang=lang, query={"mp_view": "history"})

    for chart in at.get("plotly_chart"):
        spec = json.loads(chart.proto.spec)
        *lines, names = spec["data"]
        assert not spec["layout"]["showlegend"]
        assert names["mode"] == "text"
        plain = {text.replace("\u00a0", "").replace("<br>", " ") for text in names["text"]}
        assert plain == {line["name"] for line in lines}
    months = {text.partition("<br>")[0] for text in spec["layout"]["xaxis"]["ticktext"]}
    assert all(text.isascii() == (lang == "en") for text in months)


def test_six_lines_have_a_legend(open_page: OpenPage) -> None:
    names = [f"openai/gpt-{name}" for name in ("4", "4o", "4.1", "4o-mini", "5", "5-mini")]
    at = open_page("model_prices", query={"mp_view": "history", "mp_compare": names})

    assert [json.loads(one.proto.spec)["layout"]["showlegend"] for one in at.get("plotly_chart")] == [True, True]


def test_refused_entries_of_a_table_are_told_with_their_reasons(open_page: OpenPage) -> None:
    table = {f"gpt-{n}": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0} for n in range(5)}
    at = open_page("model_prices", query={"mp_view": "feed"})
    at.file_uploader(key="mp_feed_file").upload("p.json", json.dumps(table).encode(), "application/json").run()

    assert [one.value for one in at.error if "no usable prices" in one.value]
    told = next(one.value for one in at.caption if "the first 3 of 5" in one.value).replace("\\", "")
    assert "gpt-0: has no price above 0" in told


def test_a_discount_is_stored_and_removed(open_page: OpenPage, database_url: str) -> None:
    at = open_page("model_prices", query={"mp_view": "own"})
    at.selectbox(key="mp_off_provider").set_value("openai")
    at.number_input(key="mp_off_percent").set_value(20.0)
    at.button(key="FormSubmitter:mp_discount-Save").click().run()
    assert_whole(at)
    with open_catalog(database_url) as catalog:
        assert catalog.llm.discounts() == {"openai": (0.2, "")}
    at.button(key="mp_drop_off_0").click().run()
    with open_catalog(database_url) as catalog:
        assert catalog.llm.discounts() == {}


def test_a_discount_of_this_minute_reaches_the_page(open_page: OpenPage) -> None:
    models = ["openai/gpt-4.1", "openai/gpt-4.1-mini"]
    query = {"req": "50000", "cached": "0.5", "mp_view": "own", "mp_compare": models}
    at = open_page("model_prices", query=query)
    assert at.metric[0].value == "$58.75 /mo"
    at.number_input(key="mp_off_percent").set_value(12.5)
    at.button(key="FormSubmitter:mp_discount-Save").click().run()

    assert at.metric[0].value == "$51.41 /mo"


def test_prices_do_not_depend_on_the_hour_of_the_visit(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for hour in (2, 12):
        # DeepSeek's peak hours are 1 to 4 and 6 to 10 o'clock UTC.
        moment = dt.datetime(2026, 11, 25, hour, 59, 59, tzinfo=dt.UTC)
        for part in ("bills", "charts", "compare", "article"):
            monkeypatch.setattr(f"pages.parts.model_prices_{part}.now", lambda moment=moment: moment)
        at = open_page("model_prices", query={"mp_compare": "deepseek/deepseek-v4-flash"})
        seen.append([one.value for one in at.dataframe])

    for early, late in zip(*seen, strict=True):
        pd.testing.assert_frame_equal(early, late)


BATCH = {"req": "5000000", "in": "800", "out": "20", "batch": "1"}
LONG = {"req": "2000", "in": "250000", "out": "3000", "insd": "0.5"}


@pytest.mark.parametrize(
    ("query", "models", "title"),
    [
        (BATCH, [], "Gemini 2.5 Flash is cheapest at your 2.4% output share; from 8.7% it is DeepSeek V4 Flash"),
        (LONG, ["google/gemini-2.5-pro", "openai/gpt-4.1"], "GPT-4.1 is cheapest at your 1.2% output share"),
        ({}, [], "DeepSeek V4 Flash is cheapest at your 25% output share"),
        (
            {"in": "920", "out": "80"}, ["google/gemini-2.5-flash", "openai/gpt-4.1-mini"],
            "Gemini 2.5 Flash is cheapest at your 8% output share; from 10% it is",
        ),
    ],
)  # fmt: skip
def test_card_title_and_curve_name_one_model_and_one_bill(
    open_page: OpenPage, query: dict[str, Any], models: list[str], title: str
) -> None:
    at = open_page("model_prices", query=query | ({"mp_compare": models} if models else {}))

    (said,) = [one.value for one in at.markdown if "output share" in one.value and one.value.startswith("**")]
    assert said.lower().startswith(f"**{title.lower()}")
    table = next(one.value for one in at.dataframe if "usd_per_month" in one.value and "rivals" in one.value)
    bills = dict(zip(table["name"], table["usd_per_month"], strict=True))
    spec = json.loads(at.get("plotly_chart")[0].proto.spec)
    own = spec["layout"]["shapes"][0]["x0"]
    for line in spec["data"]:
        if line["mode"] == "lines":
            assert line["y"][line["x"].index(own)] == pytest.approx(bills[line["name"]])


def test_billed_tokens_and_the_blended_price_count_what_the_bill_counts(open_page: OpenPage) -> None:
    at = open_page("model_prices", query={"retry": "0.5"})

    assert [one.value for one in at.markdown if "150M tokens billed a month" in one.value]
    table = next(one.value for one in at.dataframe if "usd_per_month" in one.value and "rivals" in one.value)
    assert table["blended"].tolist() == pytest.approx([usd / 150 for usd in table["usd_per_month"]])


TABLE = json.dumps({
    "gpt-4.1": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.2e-06, "output_cost_per_token": 8e-06,
        "cache_read_input_token_cost": 5e-07,
    },
    "gpt-4o": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 9e-06, "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-06,
    },
}).encode()  # fmt: skip


def test_a_further_source_is_offered_by_name_and_read_by_its_own_parser(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_content: bytes, day: dt.date) -> ParsedModels:
        raise FeedError(said("catalog.feed_no_price", given=f"{day:%Y} BC"))

    made_up = ModelSource(source="made up", url="https://prices.example/t.csv", parse=refuse, file_type="csv")
    at = open_page("model_prices", query={"mp_view": "feed"})
    assert "mp_feed_source" not in {one.key for one in at.selectbox}, "nothing to choose from"
    monkeypatch.setitem(MODEL_SOURCES, "made-up", made_up)
    at.run().selectbox(key="mp_feed_source").set_value("made-up").run()
    assert_whole(at)
    assert any("made-up" in one.value and "https://prices.example/t.csv" in one.value for one in at.caption)
    assert "CSV" in at.file_uploader(key="mp_feed_file").label
    at.file_uploader(key="mp_feed_file").upload("t.csv", b"a,b", "text/csv").run()
    assert [one.value for one in at.error if " BC" in one.value]


def test_a_price_table_is_compared_taken_in_shown_and_undone(open_page: OpenPage, database_url: str) -> None:
    at = open_page("model_prices", query={"mp_view": "feed", "mp_compare": "openai/gpt-4.1"})
    at.file_uploader(key="mp_feed_file").upload("prices.json", TABLE, "application/json").run()
    assert_whole(at)
    held = next(one.value for one in at.dataframe if "why" in one.value)
    assert held["name"].tolist() == ["GPT-4o · openai"]
    at.button(key="mp_feed_take").click().run()
    assert_whole(at)
    with open_catalog(database_url) as catalog:
        quote = catalog.quote("openai/gpt-4.1", TokenUsage(input_tokens=1_000_000))
        assert (str(quote.cost_usd), quote.source) == ("2.200000000000", "litellm price table")
    at.segmented_control(key="mp_view").set_value("side").run()
    assert any("litellm price table" in one.value and "refreshed feed" in one.value for one in at.markdown)
    at.segmented_control(key="mp_view").set_value("feed").run()
    at.button(key="mp_feed_undo").click().run()
    with open_catalog(database_url) as catalog:
        assert catalog.quote("openai/gpt-4.1", TokenUsage(input_tokens=1_000_000)).cost_usd == 2


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}"])
def test_a_file_that_is_no_price_table_is_one_sentence(open_page: OpenPage, content: bytes) -> None:
    at = open_page("model_prices", query={"mp_view": "feed"})
    at.file_uploader(key="mp_feed_file").upload("prices.json", content, "application/json").run()
    assert_whole(at)
    (said,) = [one.value for one in at.error if "cannot be taken in" in one.value]
    assert "address" not in said


def test_why_a_price_table_is_no_use_is_said_in_korean(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_page("model_prices", lang="ko", query={"mp_view": "feed"})
    # AppTest asks for the names of options outside the run, where nobody else says the language.
    monkeypatch.setattr(state._run, "lang", "ko")
    at.file_uploader(key="mp_feed_file").upload("prices.json", b"[]", "application/json").run()
    assert [one.value for one in at.error if "목록 형식" in one.value]
    at.file_uploader(key="mp_feed_file").upload("prices.json", TABLE, "application/json").run()
    held = next(one.value for one in at.dataframe if "why" in one.value)
    assert held["detail"].str.startswith("표준, ").all()


def test_the_shortlist_keeps_a_resellers_model_when_only_makers_are_offered(open_page: OpenPage) -> None:
    key = "groq/llama-3.3-70b-versatile"
    at = open_page("model_prices", query={"mp_compare": key, "mp_scope": "all"})
    at.segmented_control(key="mp_scope").set_value("makers").run()
    assert_whole(at)
    assert at.multiselect(key="mp_compare").value == [key]


def test_a_ticked_row_shows_both_prices_with_their_sources(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pages.parts import tables

    drawn = tables.table

    def ticked(rows: Any, columns: Any, *, key: str, **others: Any) -> Any:
        event = drawn(rows, columns, key=key, **others)
        if key == "mp_bills":
            place = next(number for number, row in enumerate(rows) if row["rivals"])
            return SimpleNamespace(selection=SimpleNamespace(rows=[place, 10**6]))
        return event

    monkeypatch.setattr(tables, "table", ticked)
    at = open_page("model_prices", query={"mp_compare": "openai/gpt-4.1"})
    rivals = next(one.value for one in at.dataframe if "rival" in one.value)
    assert rivals["used_source"].all()
    assert rivals["rival_source"].all()


def test_a_season_is_said_not_to_count(open_page: OpenPage) -> None:
    def is_said(**query: str) -> bool:
        return any("seasons are not counted" in one.value for one in open_page("model_prices", query=query).caption)

    assert is_said(season="0.2")
    assert not is_said()
