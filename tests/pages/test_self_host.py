"""Rent or call: the page answers in both languages, and no address or choice breaks it."""

from __future__ import annotations

import json
import math

import pytest

from tests.pages.conftest import OpenPage, assert_whole


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_answers_with_four_figures_a_chart_and_ranked_offers(open_page: OpenPage, lang: str) -> None:
    at = open_page("self_host", lang=lang)

    assert len(at.metric) == 4
    assert len(at.get("plotly_chart")) == 2
    assert len(at.dataframe[0].value) > 10
    assert ("Rent" in at.title[0].value) == (lang == "en")


def test_the_own_volume_is_marked_where_it_lies_on_the_logarithmic_axis(open_page: OpenPage) -> None:
    at = open_page("self_host", query={"req": "250000"})

    layout = json.loads(at.get("plotly_chart")[0].proto.spec)["layout"]
    lines = [shape["x0"] for shape in layout["shapes"] if shape["type"] == "line"]
    assert lines == [250_000]  # a shape's place is the value itself, a text's is its logarithm
    assert layout["annotations"][0]["x"] == pytest.approx(math.log10(250_000))


def test_another_model_changes_the_offers_and_a_huge_one_still_has_an_answer(open_page: OpenPage) -> None:
    at = open_page("self_host")
    before = at.metric[1].value

    at.selectbox(key="sh_model").set_value("kimi-k2").run()

    assert_whole(at)
    assert at.metric[1].value != before


def test_a_country_without_a_fitting_offer_says_what_would_fit(open_page: OpenPage) -> None:
    at = open_page("self_host", query={"sh_model": "llama-3.1-405b", "sh_precision": "fp16", "sh_purchase": "reserved"})

    assert_whole(at)


@pytest.mark.parametrize(
    "query",
    [
        {"sh_model": "<script>", "sh_precision": "fp3", "sh_country": "ZZ"},
        {"sh_load_factor": "0", "sh_redundancy": "-5", "sh_hours_per_month": "1e9", "sh_staff_fte": "nan"},
        {"sh_measured": "-1", "sh_api": "nobody/nothing", "req": "0", "out": "0"},
        {"req": "99999999999999999999", "pta": "1e9", "in": "10000000"},
    ],
)
def test_hostile_addresses_are_corrected_in_words(open_page: OpenPage, query: dict[str, str]) -> None:
    at = open_page("self_host", query=query)

    assert_whole(at)
    assert at.warning


def test_an_own_measurement_replaces_the_estimate(open_page: OpenPage) -> None:
    at = open_page("self_host", query={"sh_measured": "5000"})

    assert any("5,000" in one.value for one in at.caption)


def test_any_model_of_the_catalog_can_be_compared_with(open_page: OpenPage) -> None:
    at = open_page("self_host", query={"sh_api": "google/gemini-2.5-pro", "req": "123000"})

    assert at.metric[0].value == "$846 /mo"  # 123,000 x (1,500 x 1.25 + 500 x 10) / 1e6


def test_spot_without_a_spare_replica_is_one_sentence(open_page: OpenPage) -> None:
    at = open_page("self_host", query={"sh_purchase": "spot", "sh_redundancy": "0"})

    assert_whole(at)
    assert [one.value for one in at.warning if "spare replica" in one.value]


def test_a_purchase_mix_lowers_the_fleet_and_cannot_exceed_all_machines(open_page: OpenPage) -> None:
    load = {"req": "50000000"}
    plain = open_page("self_host", query=load)
    mixed = open_page("self_host", query=load | {"sh_reserved_share": "50", "sh_spot_share": "30"})
    beyond = open_page("self_host", query=load | {"sh_reserved_share": "80", "sh_spot_share": "50"})

    for at in (plain, mixed, beyond):
        assert_whole(at)
    assert not mixed.warning
    assert "100 %" in beyond.warning[0].value
