"""GPU clouds: filters, views and detail in both languages, and nothing hostile breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.conftest import OpenPage, assert_whole

VIEWS = ("table", "providers", "speed", "tokens", "disagree", "article")


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_first_visit_answers_with_a_price_a_month_and_a_table(open_page: OpenPage, lang: str) -> None:
    at = open_page("gpu_clouds", lang=lang)

    assert at.metric[0].value.startswith("$")
    assert len(at.dataframe[0].value) > 50
    assert ("Who rents" in at.title[0].value) == (lang == "en")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn(open_page: OpenPage, view: str) -> None:
    at = open_page("gpu_clouds", query={"gpu_view": view, "gpu_model": ["H100-80GB", "A100-80GB"]})

    assert_whole(at)
    assert at.get("plotly_chart") or at.dataframe


def test_korea_leaves_korean_and_near_offers_with_a_round_trip(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"gpu_korea": "1"})

    table = at.dataframe[0].value
    assert len(table) > 0
    assert table["rtt"].notna().all()
    assert table["rtt"].max() < 150


def test_a_filter_moves_the_answer(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds")
    before = at.metric[2].value

    at.multiselect(key="gpu_country").set_value(["JP"]).run()

    assert_whole(at)
    assert at.metric[2].value != before


def test_what_must_fit_shows_its_arithmetic_and_drops_small_machines(open_page: OpenPage) -> None:
    query = {"gpu_fit": "1", "gpu_params": "70", "gpu_model": ["L4", "H200"]}
    at = open_page("gpu_clouds", query=query)

    assert any("70.0 GB" in one.value for one in at.caption)
    assert (at.dataframe[0].value["memory"] > 70).all()


def test_hours_by_schedule_cost_less_than_always_on(open_page: OpenPage) -> None:
    always = open_page("gpu_clouds", query={"cur": "USD"}).dataframe[0].value["month"].iloc[0]
    schedule = open_page("gpu_clouds", query={"gpu_mode": "schedule"}).dataframe[0].value["month"].iloc[0]

    assert schedule < always / 2


@pytest.mark.parametrize(
    "query",
    [
        {"gpu_model": "<img src=x>", "gpu_option": "stolen", "gpu_country": "XX", "gpu_sort": "luck"},
        {"gpu_min": "0", "gpu_max": "9999", "gpu_memory": "-1", "gpu_hours": "25", "gpu_tax": "1000"},
        {"gpu_params": "0", "gpu_fit": "maybe", "gpu_context": "1e99", "gpu_sequences": "nan"},
        {"gpu_view": "<b>", "gpu_mode": "never", "gpu_machines": "-3", "gpu_storage": "inf"},
    ],
)
def test_hostile_addresses_are_corrected_in_words(open_page: OpenPage, query: dict[str, str]) -> None:
    at = open_page("gpu_clouds", query=query)

    assert_whole(at)
    assert at.warning


def test_no_match_says_what_to_do(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"gpu_min": "64", "gpu_model": "L4"})

    assert "No offer matches" in at.info[0].value


def test_a_damaged_database_is_one_sentence(open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory) -> None:
    broken = Path(tmp_path_factory.mktemp("broken")) / "broken.db"
    broken.write_bytes(b"no database" * 1000)

    at = open_page("gpu_clouds", url=f"sqlite:///{broken}")

    assert "damaged" in at.error[0].value
    assert broken.read_bytes().startswith(b"no database")
