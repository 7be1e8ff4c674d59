"""The overview answers at once in both languages and hands the workload on."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from pages.parts import shell
from tests.conftest import LANGS
from tests.pages.conftest import OpenPage, assert_whole


@pytest.mark.parametrize("lang", LANGS)
def test_the_first_visit_shows_a_full_example(open_page: OpenPage, lang: str) -> None:
    at = open_page("overview", lang=lang)

    assert len(at.metric) == 4
    assert all(metric.value != "–" for metric in at.metric)
    assert len(at.get("plotly_chart")) == 1
    assert at.dataframe[-1].value.shape[0] > 0


def test_currency_changes_every_amount(open_page: OpenPage) -> None:
    dollars = open_page("overview").metric[0].value
    won = open_page("overview", query={"cur": "KRW"}).metric[0].value

    assert dollars.startswith("$")
    assert won.startswith("₩")


def test_the_workload_of_the_address_is_answered(open_page: OpenPage) -> None:
    small = open_page("overview", query={"req": "1000"}).metric[0].value
    large = open_page("overview", query={"req": "100000000"}).metric[0].value

    assert small != large


@pytest.mark.parametrize(
    "query",
    [
        {"req": "x", "in": "-5", "fx": "1e99", "cur": "EUR", "lang": "xx"},
        {"ov_since": "yesterday", "way_models": "nobody/nothing", "sh_model": "gpt-9"},
        {"months": "600", "grow": "1000", "budget": "-1", "cached": "2", "cwrite": "2"},
    ],
)
def test_hostile_addresses_are_corrected_in_words(open_page: OpenPage, query: dict[str, str]) -> None:
    at = open_page("overview", query=query)

    assert_whole(at)
    assert at.warning


def test_a_damaged_database_is_one_sentence(open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory) -> None:
    broken = tmp_path_factory.mktemp("broken") / "broken.db"
    broken.write_bytes(b"this is not a database" * 500)

    at = open_page("overview", url=f"sqlite:///{broken}")

    assert "damaged" in at.error[0].value
    assert broken.exists()


def test_an_empty_database_is_filled_on_the_first_visit(
    open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    at = open_page("overview", url=f"sqlite:///{tmp_path_factory.mktemp('new') / 'new.db'}")

    assert len(at.metric) == 4


def test_savings_are_against_the_baseline_of_the_monthly_plan(open_page: OpenPage) -> None:
    at = open_page("overview", query={"monthly_cost_baseline": "anthropic/claude-sonnet-4-6"})
    plan = open_page("monthly_cost", query={"monthly_cost_baseline": "anthropic/claude-sonnet-4-6"})

    assert at.metric[3].value == plan.metric[2].value
    assert "Claude Sonnet 4.6" in at.metric[3].delta


@pytest.mark.parametrize(("lang", "sentence"), [("en", "give 1 or 0"), ("ko", "1 또는 0으로 지정하세요")])
def test_a_refused_setting_is_said_in_the_readers_language(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, lang: str, sentence: str
) -> None:
    monkeypatch.setenv("BREAKEVEN_LOG_PROMPTS", "perhaps")
    at = open_page(lang=lang)

    assert [one.value for one in at.warning if "BREAKEVEN_LOG_PROMPTS" in one.value and sentence in one.value]


def test_the_steps_of_the_first_start_are_said_in_the_readers_language(
    open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(shell, "_show_progress", lambda _bar, _share, step: shown.append(step))
    open_page(lang="ko", url=f"sqlite:///{tmp_path_factory.mktemp('first') / 'x.db'}")

    assert shown == ["공급사 정보", "GPU 사양", "GPU 상품 가격", "모델 가격", "완료"]


@pytest.mark.parametrize(
    ("lang", "label", "sentence"),
    [
        ("en", "Cheapest of your 4 models", "The fleet’s open model from an API"),
        ("ko", "비교 모델 4개 중 최저가", "같은 오픈 모델의 최저가 API"),
    ],
)
def test_the_cheapest_is_of_the_models_compared_and_the_fleets_model_is_priced_as_an_api(
    open_page: OpenPage, lang: str, label: str, sentence: str
) -> None:
    at = open_page(lang=lang)
    compared_there = [one.value.split(" ")[0] for one in open_page("self_host").metric]

    assert at.metric[0].label == label
    told = next(one.value for one in at.caption if one.value.startswith(sentence))
    assert "Llama-3.3-70B-Instruct" in told.replace("\\", "")
    assert any(amount in told.replace("\\", "") for amount in compared_there)
    assert re.search(r"8 × RTX 3090, rented|RTX 3090 8개 임대", at.metric[2].delta)


def test_models_compared_are_changed_beside_the_answer(open_page: OpenPage) -> None:
    at = open_page(query={"way_models": ["openai/gpt-4.1"]})
    assert at.metric[0].label == "Your model"

    at.session_state["ov_ways"] = True
    at.run()
    at.multiselect(key="way_models").set_value(["openai/gpt-4.1", "openai/gpt-4.1-mini"]).run()
    assert_whole(at)
    assert at.metric[0].label == "Cheapest of your 2 models"
    assert at.metric[0].delta == "GPT-4.1 mini"


def test_news_of_the_models_compared_come_first_and_announced_ones_say_so(open_page: OpenPage) -> None:
    news = open_page(query={"ov_since": "2025-01-01"}).dataframe[-1].value
    mine = open_page(query={"ov_since": "2025-01-01", "way_models": [news["model"].iloc[-1]]}).dataframe[-1].value

    day = dt.datetime.now(dt.UTC).date()
    assert [one > day for one in news["day"]] == ["announced" in one for one in news["note"]]
    assert mine["note"].iloc[0].startswith("compared")
    assert mine["model"].iloc[0] == news["model"].iloc[-1]


@pytest.mark.parametrize(("lang", "name"), [("en", "Article: start-up MVP"), ("ko", "기사 예시: 스타트업 MVP")])
def test_a_preset_is_named_in_the_readers_language_until_it_is_changed(
    open_page: OpenPage, lang: str, name: str
) -> None:
    def strip(**query: str) -> str:
        at = open_page(lang=lang, query={"name": "article_mvp", **query})
        found = next(str(one.value) for one in at.markdown if one.value.startswith(":material/tune:"))
        return found.replace("\\", "")

    assert name in strip()
    assert name not in strip(grow="0.05")
    assert "article" not in strip(grow="0.05")
    assert "mine" in strip(name="mine", grow="0.05")


@pytest.mark.parametrize(("lang", "unit"), [("en", "1,500 tokens in · 500 out"), ("ko", "입력 1,500토큰 · 출력 500")])
def test_the_strip_says_what_it_counts(open_page: OpenPage, lang: str, unit: str) -> None:
    assert any(unit in str(one.value) for one in open_page(lang=lang).markdown)


def test_the_gateway_serves_the_model_that_is_cheapest_over_all_months(open_page: OpenPage) -> None:
    """The Flash model costs less in the first month only, and 3,450 in twelve; o4-mini 12 x 192.50 = 2,310."""
    at = open_page(query={"way_models": ["google/gemini-3.6-flash", "openai/o4-mini"]})

    # (2,310 + 12 x 29) x 1.1 in twelve months, a twelfth of it a month.
    assert at.metric[1].value == "$244 /mo"
    assert at.metric[1].delta == f"{at.metric[0].delta} through a gateway"


@pytest.mark.parametrize(("models", "label"), [(2, "Cheapest of your models and their mix"), (0, "Your mix of models")])
def test_a_mix_is_not_counted_as_a_model(open_page: OpenPage, models: int, label: str) -> None:
    pair = ["google/gemini-2.5-flash", "openai/gpt-4.1"]
    at = open_page(query={"way_models": pair[:models] or "", "way_mix": f"{pair[0]}:70,{pair[1]}:30"})

    assert at.metric[0].label == label


@pytest.mark.parametrize(("lang", "sentence"), [("en", "3 of input to 1 of output"), ("ko", "입력 3 : 출력 1")])
def test_a_preset_of_the_article_says_what_is_assumed(open_page: OpenPage, lang: str, sentence: str) -> None:
    def told(**query: str) -> str:
        return " ".join(str(one.value) for one in open_page(lang=lang, query=query).caption)

    assert sentence in told(name="article_mvp")
    assert sentence not in told(name="article_mvp", req="49999")
    assert sentence not in told(name="article of mine")
