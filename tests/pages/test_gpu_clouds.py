"""GPU clouds: the page answers in both languages, and no address, choice or database breaks it."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog import store
from core.catalog.feeds import skypilot
from core.catalog.rows import RefusedRow
from core.catalog.seed import DATA
from core.costs.gpu_ranking import OfferFilter, rate
from core.costs.gpu_specs import gpu_specs
from core.costs.gpus import GpuOffer
from core.i18n import said
from pages.parts import gpu_facts, gpu_rows, state, tables
from pages.parts.state import tr
from pages.parts.widgets import plain
from tests.conftest import LANGS
from tests.pages.conftest import OpenPage, assert_whole


def catalog_of(at: AppTest) -> Sequence[GpuOffer]:
    """The offers the page was drawn from."""
    assert not at.exception
    return state.catalog().gpu_offers()


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_answers_with_four_figures_a_chart_and_the_offers(open_page: OpenPage, lang: str) -> None:
    at = open_page("gpu_clouds", lang=lang)

    assert len(at.metric) == 4
    assert len(at.get("plotly_chart")) == 1
    assert len(at.dataframe[0].value) > 100
    assert ("GPU to rent" in at.title[0].value) == (lang == "en")
    assert set(at.dataframe[0].value["gpu"].str.split(" ").str[0]) == {"H100-80GB"}


def test_a_filter_changes_the_answer_and_korea_leaves_only_near_regions(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds")
    before = at.metric[0].value

    at.selectbox(key="gc_gpu").set_value("L4").run()

    assert_whole(at)
    assert at.metric[0].value != before
    at.toggle(key="gc_korea").set_value(True).run()
    assert_whole(at)
    assert "not stated" not in set(at.dataframe[0].value["region"])


@pytest.mark.parametrize(("lang", "mark"), [("en", "undated"), ("ko", "날짜 없")])
def test_what_has_no_date_is_not_called_recent(open_page: OpenPage, lang: str, mark: str) -> None:
    at = open_page("gpu_clouds", lang=lang, query={"gc_korea": "1"})
    chart = at.get("plotly_chart")[0].proto

    # One H100 and eight of them cost the same a GPU: the bill is that of one.
    assert mark in chart.alt
    assert mark in at.metric[0].delta
    assert mark in at.metric[2].delta
    assert at.metric[1].delta in {"1 GPU", "GPU 1개"}


def test_the_offer_of_the_address_is_billed_and_one_that_left_is_said(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds")
    shown = rate(
        catalog_of(at), OfferFilter(gpu_models=["H100-80GB"], purchase_options=["on_demand"]), specs=gpu_specs(),
        today=dt.datetime.now(dt.UTC).date(),
    )  # fmt: skip
    fourth = gpu_rows.reference(shown[3].offer)

    chosen = open_page("gpu_clouds", query={"gc_offer": fourth})
    bill = next(one.value for one in chosen.dataframe if "how" in one.value)
    hourly = next(one.value for one in chosen.dataframe if "per_hour" in one.value)["per_hour"].iloc[3]
    assert bill["usd"].iloc[0] == pytest.approx(hourly * 730)
    hours, price = bill["how"].iloc[0].split(" h × $")
    assert float(hours) * float(price) == pytest.approx(hourly * 730, abs=730 * 0.00005)
    gone = open_page("gpu_clouds", query={"gc_offer": fourth, "gc_gpu": "L4"})
    assert any("chosen before" in one.value for one in gone.caption)


def test_a_machine_priced_where_it_is_not_sold_says_so_beside_its_bill(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds")
    unsold = next(one for one in catalog_of(at) if one.region_confirmed == "no" and one.purchase_option == "on_demand")

    query = {"gc_offer": gpu_rows.reference(unsold), "gc_gpu": unsold.gpu_model}
    assert any("not seen sold in" in one.value for one in open_page("gpu_clouds", query=query).caption)


@pytest.mark.parametrize(("lang", "name"), [("en", "Japan"), ("ko", "일본")])
def test_countries_are_chosen_by_name(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, lang: str, name: str
) -> None:
    at = open_page("gpu_clouds", lang=lang)
    monkeypatch.setattr(state._run, "lang", lang)
    at.session_state["gc_more"] = True
    at.run()

    assert name in at.multiselect(key="gc_country").options


def test_machines_that_fit_come_with_the_day_of_their_price_and_ask_all_gpus(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"gc_view": "fits"})

    assert set(at.dataframe[0].value["age"]) - {"", None}
    assert any("whatever GPU is chosen" in one.value for one in at.caption)


def test_sources_older_than_90_days_are_marked(open_page: OpenPage) -> None:
    def line(page: str) -> str:
        return next(one.value for one in open_page(page).caption if one.value.startswith("Price sources"))

    assert ":orange-badge[" in line("gpu_clouds")
    assert line("overview").count(":orange-badge[") == line("overview").count(":orange-badge[some undated]")


@pytest.mark.parametrize(
    ("page", "query", "sentence"),
    [
        ("gpu_clouds", {"gc_sort": "luck"}, "default (per GPU-hour) is used"),
        ("gpu_clouds", {"gc_gpu": "abacus"}, "default (H100-80GB) is used"),
        ("monthly_cost", {"way_gw": "nobody/x"}, "default (No gateway) is used"),
        ("monthly_cost", {"way_rent": "gpt-9"}, "default (No own machines) is used"),
    ],
)
def test_a_refused_choice_names_what_is_used_instead(
    open_page: OpenPage, page: str, query: dict[str, str], sentence: str
) -> None:
    at = open_page(page, query=query)

    assert sentence in " ".join(one.value for one in at.warning).replace("\\", "")


def test_numbers_of_a_chart_stand_to_the_right_in_groups(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"gc_view": "performance"})
    at.session_state["gc_chart_speed_numbers"] = True
    at.run()

    found = next(one for one in at.dataframe if "speed" in one.value)
    config = json.loads(found.proto.columns)["speed"]
    assert config["label"] == "BF16 (TFLOP/s)"
    assert config["alignment"] == "right"
    assert config["type_config"]["format"] == "%,.0f"


def test_a_file_holds_no_more_digits_than_it_knows() -> None:
    columns = [tables.Column(field="x", label="x", kind="number"), tables.Column(field="m", label="m", kind="number")]
    values = [(22.446857690747223, 1.0), (13292.160000000002, 12.0), (0.0000123456789, None)]
    written = tables.to_csv([{"x": x, "m": m} for x, m in values], columns).decode("utf-8-sig")

    assert written.split() == ["x,m", "22.446858,1", "13292.16,12", "0.0000123457,"]


def test_all_offers_at_once_with_each_measure_and_view(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"gc_gpu": "", "gc_option": "", "gc_view": "performance"})

    assert len(at.dataframe[0].value) > 1_500
    for measure in ("instance_hour", "memory", "bf16", "fp8", "measured"):
        at.selectbox(key="gc_sort").set_value(measure).run()
        assert_whole(at)


def test_a_schedule_costs_less_than_always_on_and_tax_more(open_page: OpenPage) -> None:
    def bill(**query: str) -> float:
        at = open_page("gpu_clouds", query=query)
        return float(next(one.value for one in at.dataframe if "how" in one.value)["usd"].iloc[-1])

    assert bill(gc_mode="schedule") < bill() < bill(gc_tax="10")


def test_won_are_dollars_times_the_rate(open_page: OpenPage) -> None:
    usd = open_page("gpu_clouds").dataframe[0].value["per_gpu"].iloc[0]

    won = open_page("gpu_clouds", query={"cur": "KRW", "fx": "1500"}).dataframe[0].value["per_gpu"].iloc[0]

    assert won == pytest.approx(usd * 1_500)


@pytest.mark.parametrize(
    "query",
    [
        {"gc_gpu": "<script>", "gc_option": "gift", "gc_sort": "luck", "gc_view": "x"},
        {"gc_hours": "99", "gc_util": "nan", "gc_tax": "-1", "gc_machines": "1e99"},
        {"gc_params": "0", "gc_context": "inf", "gc_sequences": "no", "gc_precision": "fp1"},
        {"gc_count_min": "0", "gc_count_max": "-3", "gc_country": "ZZ", "gc_korea": "maybe"},
    ],
)
@pytest.mark.parametrize("lang", LANGS)
def test_hostile_addresses_are_corrected_in_words(open_page: OpenPage, query: dict[str, str], lang: str) -> None:
    at = open_page("gpu_clouds", query=query, lang=lang)

    assert_whole(at)
    assert at.warning


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("view", ["provider", "performance", "fits", "tokens"])
def test_every_view_is_drawn_in_both_languages(open_page: OpenPage, view: str, lang: str) -> None:
    at = open_page("gpu_clouds", query={"gc_view": view}, lang=lang)

    assert (len(at.get("plotly_chart")) == 1) == (view in {"provider", "performance"})


def test_the_machines_that_hold_a_model_come_with_the_arithmetic(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"gc_view": "fits", "gc_params": "70", "gc_precision": "fp8"})

    # 70 billion parameters of one byte.
    assert any(one.value.startswith("70.0 GB weights") for one in at.caption)
    found = at.dataframe[0].value
    assert found["memory"].min() > 70
    assert found["hour"].is_monotonic_increasing


def test_offers_are_ranked_by_what_a_useful_token_costs(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"gc_view": "tokens", "req": "5000000"})
    ranked = at.dataframe[0].value

    dated = ranked[~ranked["as_of"].isin(["undated"])]
    assert dated["usd_per_mtok"].is_monotonic_increasing
    assert len(ranked) > 20


def test_filters_that_leave_nothing_say_so(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"gc_gpu": "K80", "gc_country": "KR", "gc_memory_min": "100000"})

    assert_whole(at)
    assert at.info


def test_a_model_that_fits_nowhere_says_what_to_do(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"gc_params": "10000", "gc_precision": "bf16", "gc_view": "fits"})

    assert any("No machine" in one.value for one in at.info)


def test_an_emptied_catalog_says_so(open_page: OpenPage, database_url: str) -> None:
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as opened:
        opened.execute("UPDATE gpu_offer SET valid_to = valid_from")
    opened.close()

    at = open_page("gpu_clouds")

    assert_whole(at)
    assert "no GPU offers" in at.info[0].value


def test_a_broken_database_gives_one_sentence_and_is_left_as_it_is(open_page: OpenPage, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 300)
    shutil.copy(broken, tmp_path / "copy.db")

    at = open_page("overview", url=f"sqlite:///{broken}", is_whole=False)

    assert len(at.error) == 1
    assert "damaged" in at.error[0].value
    assert broken.read_bytes() == (tmp_path / "copy.db").read_bytes()


def test_what_sources_state_is_said_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"", "MIT", "Apache-2.0"}
    offers = ("basis", "as_of_note", "licence")
    sellers = ("billing_increment", "min_topup_note", "payment", "storage_note", "egress_note", "notes")
    shipped = {"gpu_offers": offers, "providers": sellers, "article_gpu_offers": ("region", "payment")}
    stated = {
        row[column]
        for name, columns in shipped.items()
        for row in csv.DictReader((DATA / f"{name}.csv").read_text(encoding="utf-8").splitlines())
        for column in columns
    } | {rule.basis for rule in skypilot.RULES.values()}
    monkeypatch.setattr(state._run, "lang", "ko")

    assert [one for one in stated - names if not re.search("[가-힣]", gpu_facts.fact(one))] == []
    assert gpu_facts.fact("a new wording; on_demand+spot") == "a new wording; 온디맨드, 스팟"


def test_the_facts_of_an_offer_hold_no_english_sentence_in_korean(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_page("gpu_clouds", lang="ko")
    # AppTest asks for the names of options outside the run, where nobody else says the language.
    monkeypatch.setattr(state._run, "lang", "ko")
    at.session_state["gc_story"] = True
    at.run()

    names = tuple(f"**{tr(f'gpu_clouds.fact_{name}')}**" for name in ("basis", "payment", "billing", "licence"))
    told = [one.value for one in at.markdown if one.value.startswith(names)]
    assert len(told) == len(names)
    assert not [one for one in told if re.search("[a-z]{4,} [a-z]{4,}", one)]


@pytest.mark.parametrize(
    ("lang", "sentence"), [("en", "row 7: usd_per_hour is empty"), ("ko", "7행: usd_per_hour 값이 비어 있습니다")]
)
def test_a_refused_row_is_said_in_the_readers_language(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, lang: str, sentence: str
) -> None:
    row = RefusedRow(file="gpu_offers.csv", row=7, reason=said("catalog.row_empty", column="usd_per_hour"))
    opened = store.open_catalog

    def with_a_refused_row(*given: Any, **named: Any) -> store.Catalog:
        found = opened(*given, **named)
        found.refused = (row,)
        return found

    monkeypatch.setattr(state, "open_catalog", with_a_refused_row)
    at = open_page("gpu_clouds", lang=lang)

    assert any(plain(sentence) in one.value for one in at.warning)
