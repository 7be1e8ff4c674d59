"""Rent or call: the page answers in both languages, and no address or choice breaks it."""

from __future__ import annotations

import datetime as dt
import json
import math

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.costs.gpu_specs import gpu_specs
from core.costs.monthly import FleetWay
from core.costs.selfhost_replicas import FABRIC
from core.costs.throughput_measured import shipped_fit
from core.workload import Workload
from pages.parts import fleet, fleet_inputs, self_host_why
from pages.parts.offer_words import region_text
from pages.parts.self_host_verdict import share_text
from tests.conftest import LANGS
from tests.pages.conftest import OpenPage, assert_whole


@pytest.mark.parametrize("lang", LANGS)
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
    assert "100%" in beyond.warning[0].value


def test_the_measurement_an_estimate_rests_on_is_named_in_korean(open_page: OpenPage) -> None:
    at = open_page("self_host", lang="ko", query={"sh_model": "llama-3.3-70b"})
    speed = next(one.value for one in at.caption if "속도" in one.value)

    assert "측정값에서 환산" in speed or "루프라인" in speed
    assert " on " not in speed


GPT = {"v": "1", "sh_api": "openai/gpt-4.1"}
MILLIONS = GPT | {"req": "5000000"}


def table(at: AppTest) -> pd.DataFrame:
    """The ranked offers."""
    return next(one.value for one in at.dataframe if "usd_per_mtok" in one.value.columns)


def usd(text: str) -> float:
    """The amount of a card such as `$9.36K /mo`."""
    number = text.removeprefix("-").removeprefix("$").split()[0]
    return float(number.rstrip("KM").replace(",", "")) * {"K": 1e3, "M": 1e6}.get(number[-1], 1.0)


def said(at: AppTest) -> str:
    return "\n".join(one.value for kind in (at.markdown, at.caption, at.info, at.warning) for one in kind)


def test_no_volume_is_called_never_while_another_machine_crosses(open_page: OpenPage) -> None:
    # What is cheapest at 50,000 requests costs more per request than this API at every volume.
    small = open_page("self_host", query={"v": "1", "sh_model": "gemma-2-27b"})
    large = open_page("self_host", query={"v": "1", "sh_model": "gemma-2-27b", "req": "3000000"})

    assert small.metric[3].value == large.metric[3].value == "3.25M"
    assert small.metric[3].delta == "1 × RTX PRO 6000"
    assert "with 1 × RTX PRO 6000" in said(small)


def test_never_says_what_undated_prices_would_change(open_page: OpenPage) -> None:
    at = open_page("self_host", query={"v": "1", "sh_model": "mixtral-8x7b"})

    assert at.metric[3].value == "never"
    assert "whichever fleet with a dated price is rented" in said(at)
    assert "With undated prices counted, renting would win above 164M requests a month (2 × L40S, Lium)" in said(at)


def test_the_fleets_line_is_the_cheapest_fleet_of_each_volume(open_page: OpenPage) -> None:
    query = {"v": "1", "sh_model": "gemma-2-27b"}
    at = open_page("self_host", query=query)
    rent = json.loads(at.get("plotly_chart")[0].proto.spec)["data"][0]
    place = min(range(len(rent["x"])), key=lambda k: abs(rent["x"][k] - 3_000_000))
    there = open_page("self_host", query=query | {"req": str(rent["x"][place])})

    assert rent["y"][place] == pytest.approx(usd(there.metric[1].value), rel=0.005)
    at.session_state["sh_chart_numbers"] = True
    at.run()
    numbers = next(one.value for one in at.dataframe if "requests" in one.value.columns)
    assert numbers["machine"].nunique() > 1
    assert numbers["call"].is_monotonic_increasing


def test_a_break_even_lies_on_both_lines_and_the_lasting_one_is_marked(open_page: OpenPage) -> None:
    cheap = {"v": "1", "sh_api": "openai/gpt-4.1-mini", "req": "3000000", "in": "4000", "retry": "0.5"}
    at = open_page("self_host", query=cheap)
    _, call, marks = json.loads(at.get("plotly_chart")[0].proto.spec)["data"]
    on_the_line = [call["y"][-1] / call["x"][-1] * place for place in marks["x"]]

    assert marks["y"] == pytest.approx(on_the_line, rel=1e-3)
    assert max(marks["x"]) == pytest.approx(usd(at.metric[3].value), rel=0.005)


def test_an_announced_price_and_a_season_are_said_since_neither_counts(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_host_why, "today", lambda: dt.date(2026, 11, 28))
    query = {"v": "1", "sh_api": "google/gemini-4-argon"}

    announced = said(open_page("self_host", query=query | {"season": "0.2"}))
    assert r"Gemini 4 Argon, announced for Dec 1, 2026: Input \$2.00 → \$4.00, Output" in announced
    assert "seasons are not counted" in announced
    assert "announced for" not in said(open_page("self_host", query={"v": "1"}))


def test_a_model_nobody_sells_says_what_it_is_compared_with(open_page: OpenPage) -> None:
    at = open_page("self_host", query={"v": "1", "sh_model": "gpt-j-6b"})

    assert at.metric[0].delta == "GPT-4o mini"
    words = "No provider in the catalog sells GPT-J 6B by the token, so the comparison is with GPT-4o mini"
    assert words in said(at)
    assert "No provider in the catalog" not in said(open_page("self_host", query={"v": "1"}))


def test_every_host_is_priced_before_the_cheapest_is_named(open_page: OpenPage) -> None:
    at = open_page("self_host", query={"v": "1", "sh_model": "gpt-oss-120b"})

    assert (at.metric[0].value, at.metric[0].delta) == ("$6.00 /mo", "GPT-OSS 120B (quicksilverpro)")


def test_h100s_at_a_price_per_gpu_are_taken_in_pairs_and_the_filter_stays_in_the_address(open_page: OpenPage) -> None:
    at = open_page("self_host", query=MILLIONS | {"sh_gpu": "H100-80GB"})

    assert at.metric[1].value == "$10.3K /mo"
    assert at.metric[1].delta.startswith("6 × H100-80GB")
    assert set(table(at)["gpu"].str.contains("H100-80GB")) == {True}
    assert table(at)["note"].str.contains("price per GPU").any()
    assert at.query_params["sh_gpu"] == "H100-80GB"
    assert at.multiselect(key="sh_gpu").value == ["H100-80GB"]


def test_a_saved_scenario_keeps_gpus_with_blanks_in_their_names(open_page: OpenPage) -> None:
    at = open_page("self_host", query=GPT | {"sh_gpu": "RTX_PRO_6000"})

    assert (at.metric[1].delta or "").startswith("2 × RTX PRO 6000")
    lists = [one for one in fleet_inputs.fields() if one.kind == "choices"]
    assert lists
    assert not [option for one in lists for option in one.options if " " in option]


def test_the_gpu_page_ranks_by_token_what_its_own_filter_leaves(open_page: OpenPage) -> None:
    at = open_page("gpu_clouds", query={"v": "1", "gc_view": "tokens", "gc_gpu": "L40S"})

    assert len(table(at))
    assert set(table(at)["gpu"].str.contains("L40S")) == {True}


def test_the_table_is_sorted_by_cost_and_the_card_takes_dated_prices_and_says_so(open_page: OpenPage) -> None:
    at = open_page("self_host", query=MILLIONS)
    rows = table(at)
    undated = rows["as_of"] == "undated"
    first = rows[~undated].iloc[0]

    assert rows["usd_per_mtok"].is_monotonic_increasing
    assert usd(at.metric[1].value) == pytest.approx(first["tco"], rel=0.005)
    assert undated.iloc[0]
    assert rows[undated]["note"].str.contains("not counted as cheapest").all()
    cheaper = int((rows["tco"] < first["tco"]).sum())
    assert f"{cheaper} undated offers would be cheaper (from $8.69K a month with 24 × L40S from Lium)" in said(at)


def test_a_measurement_holds_for_its_gpu_in_card_table_and_on_other_pages(open_page: OpenPage) -> None:
    at = open_page("self_host", query=MILLIONS | {"sh_measured": "300"})
    rows = table(at)
    own = rows[rows["gpu"].str.contains("RTX PRO 6000")]

    assert len(own)
    assert set(own["speed"]) == {300.0}
    assert own["note"].str.contains("measured by you").all()
    assert not rows[~rows["gpu"].str.contains("RTX PRO 6000")]["note"].str.contains("measured by you").any()
    dated = rows[rows["as_of"] != "undated"]
    assert usd(at.metric[1].value) == pytest.approx(dated["tco"].min(), rel=0.005)
    assert "300 tokens/s per replica (GPUs in it: 1), holds for RTX PRO 6000" in said(at)
    other = open_page("self_host", query=MILLIONS | {"sh_measured": "5000", "sh_measured_gpu": "L40S"})
    assert "L40S" in (other.metric[1].delta or "")


def rented(database_url: str, monkeypatch: pytest.MonkeyPatch, **values: object) -> FleetWay:
    """The fleet that monthly plan, ROI and overview reckon with, at 5 million requests a month."""
    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", database_url)
    fields = {one.key: one.default for one in fleet_inputs.fields()}
    found = fleet.cheapest_way(fleet_inputs.choices_of(fields | values), Workload(requests_per_month=5_000_000))
    assert found is not None
    return found


def test_other_pages_rent_the_same_fleet_at_the_measured_speed_and_vary_estimates_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = np.array([5e6])
    plain = rented(database_url, monkeypatch)
    own = rented(database_url, monkeypatch, sh_measured=600.0, sh_measured_gpu="RTX PRO 6000", sh_measured_gpus=1)

    assert plain.speed_band == pytest.approx(shipped_fit().band)
    assert plain.cost_at_speed_usd is not None
    assert plain.cost_at_speed_usd(volume, np.array([1.0])) == pytest.approx(plain.monthly_cost_usd(volume))
    assert plain.cost_at_speed_usd(volume, np.array([0.615])) > plain.monthly_cost_usd(volume)
    assert own.speed_band == (1.0, 1.0)
    assert own.monthly_cost_usd(volume)[0] < plain.monthly_cost_usd(volume)[0]
    assert all(day is not None for _, day in plain.sources)


def test_a_typed_measurement_is_of_the_fleet_that_was_cheapest_then(open_page: OpenPage) -> None:
    at = open_page("self_host", query=MILLIONS)
    at.session_state["sh_more"] = True
    at.run()
    at.number_input(key="sh_measured").set_value(100.0).run()

    assert_whole(at)
    assert at.query_params["sh_measured_gpu"] == "RTX PRO 6000"
    assert at.query_params["sh_measured_gpus"] == "1"


@pytest.mark.parametrize(("key", "value"), [("sh_model", "qwen3-32b"), ("sh_precision", "fp16")])
def test_a_measurement_of_another_model_or_precision_no_longer_counts(
    open_page: OpenPage, key: str, value: str
) -> None:
    at = open_page("self_host", query=MILLIONS | {"sh_measured": "4321", "sh_measured_gpu": "H100-80GB"})
    at.selectbox(key=key).set_value(value).run()

    assert_whole(at)
    assert [one.value for one in at.warning if "4,321" in one.value]
    assert not [key for key in at.query_params if key.startswith("sh_measured")]
    at.run()
    assert not [one.value for one in at.warning if "4,321" in one.value]


def test_the_verdict_concludes_and_knows_whose_machines_they_are(open_page: OpenPage) -> None:
    plain = open_page("self_host", query=GPT)
    kept = open_page("self_host", query=GPT | {"sh_residency": "1"})
    own = open_page("self_host", query=GPT | {"sh_residency": "1", "sh_country": "KR"})

    assert "**Conclusion: call the API." in said(plain)
    assert "people are planned" not in said(plain)  # what is reckoned with is what is called enough
    assert "For a gateway" in said(plain)
    assert "**Conclusion: rent. The cheapest fleet is at Vast.ai, a marketplace" in said(kept)
    assert "On a provider's own machines in a stated region it costs" in said(kept)
    assert "Data stays on machines" not in said(kept)
    assert "**Conclusion: rent. Data stays on machines rented from" in said(own)


def test_a_limit_of_latency_is_compared_with_what_a_user_sees(open_page: OpenPage) -> None:
    query = MILLIONS | {"sh_t_stream": "1000", "sh_t_first": "30"}
    slow = open_page("self_host", query=query)
    fast = open_page("self_host", query=query | {"sh_t_stream": "1"})

    assert "not within your limits (first token within 30 s, at least 1000 tokens/s)" in said(slow)
    assert "**Conclusion: call the API. At the peak one user" in said(slow)
    assert ": within your limits" in said(fast)


@pytest.mark.parametrize("key", ["sh_t_staff", "sh_t_util", "sh_t_first"])
def test_a_threshold_that_is_no_number_is_one_sentence(open_page: OpenPage, key: str) -> None:
    at = open_page("self_host", query=GPT | {key: "much"})

    assert [one.value for one in at.warning if "is not a number" in one.value]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"sh_country": "KR", "sh_purchase": "reserved"}, "Reserved, South Korea. Choose another country"),
        ({"sh_gpu": "V100-16GB"}, "None of the GPUs on offer runs FP8"),
        ({"sh_gpu": "A10", "sh_model": "kimi-k2"}, "In one machine it would take 16 × H200, 8 × B200"),
    ],
)
def test_an_empty_answer_names_what_emptied_it_and_what_would_do(
    open_page: OpenPage, query: dict[str, str], words: str
) -> None:
    at = open_page("self_host", query={"v": "1"} | query)

    assert words in at.info[0].value
    assert at.metric[1].value == "–"


def test_a_gpu_without_fp8_units_is_said_to_compute_wider(open_page: OpenPage) -> None:
    at = open_page("self_host", query=GPT | {"sh_gpu": "A100-80GB"})

    assert "A100-80GB has no FP8 units: weights are kept in FP8 and computed in FP16" in said(at)
    assert table(at)["note"].str.contains("FP8 weights, FP16 arithmetic").all()


def test_large_models_run_on_at_most_eight_gpus_without_a_fabric(open_page: OpenPage) -> None:
    specs = gpu_specs().items()
    without_fabric = {
        name for (gpu, form), spec in specs if not FABRIC.match(spec.interconnect) for name in (gpu, f"{gpu} {form}")
    }

    for model in ("llama-3.1-405b", "deepseek-v3"):
        shown = table(open_page("self_host", query={"v": "1", "sh_model": model}))["gpu"]
        counts = [int(text.split(" × ")[0]) for text in shown if text.split(" × ")[1] in without_fabric]
        assert counts
        assert max(counts) <= 8


def test_nothing_is_said_to_be_shaded_where_nothing_is(open_page: OpenPage) -> None:
    for query, is_shaded in ((GPT, True), ({"v": "1"}, False)):
        at = open_page("self_host", query=query)
        shapes = json.loads(at.get("plotly_chart")[0].proto.spec)["layout"]["shapes"]

        assert any(one["type"] == "rect" for one in shapes) == is_shaded
        assert ("Shaded" in said(at)) == is_shaded


def test_bars_that_would_not_be_seen_are_left_out(open_page: OpenPage) -> None:
    at = open_page("self_host", query=GPT)
    bars = json.loads(at.get("plotly_chart")[1].proto.spec)["data"]

    assert bars[0]["x"]
    assert all(max(abs(a), abs(b)) > 1 for a, b in zip(bars[0]["x"], bars[1]["x"], strict=True))


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "0%"), (0.001, "<1%"), (0.2, "20%"), (0.994, "99%"), (0.999, ">99%"), (1.0, "100%")]
)
def test_a_share_is_never_rounded_to_none_or_all(share: float, words: str) -> None:
    assert share_text(share) == words


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (", US, NA", "United States"), ("Thailand, TH, AS", "Thailand"), ("Texas, US, NA", "Texas, US"),
        ("JP", "Japan"), ("FIN-03", "FIN-03"), ("eu-west1", "eu-west1"), (None, "not stated"),
    ],
)  # fmt: skip
def test_a_region_says_what_is_known_and_no_more(region: str | None, words: str) -> None:
    assert region_text(region) == words


def test_counts_have_separators(open_page: OpenPage) -> None:
    at = open_page("self_host", query=GPT | {"req": "100000000000"})

    assert "," in (at.metric[1].delta or "")


def test_the_korean_answer_reads_as_korean(open_page: OpenPage) -> None:
    at = open_page("self_host", lang="ko", query=MILLIONS | {"batch": "0.6"})

    for words in (
        "과금되는 서버 시간의 20%를 실제로 씁니다(피크를 감안한 최대치 23%)",
        "복제본(GPU 1개)당 출력 475 토큰/초", "유사한 실측값 없음",
        "요청의 60%는 실시간 처리가 필요 없어", "모두 반영하면", "만 건(",
    ):  # fmt: skip
        assert words in said(at)
    assert at.header[0].value == "토큰당 비용이 낮은 GPU 상품"


def test_a_second_edit_after_a_measurement_is_answered(open_page: OpenPage) -> None:
    """A whole field holds 8.0 in the browser, which is 8 GPUs."""
    at = open_page("self_host", query=MILLIONS | {"sh_measured": "5000", "sh_measured_gpu": "RTX 3090"})
    at.session_state["sh_more"] = True
    at.run()
    at.number_input(key="sh_measured_gpus").set_value(4.0).run()
    at.number_input(key="sh_staff_fte").set_value(0.5).run()

    assert_whole(at)
    assert "5,000 tokens/s per replica (GPUs in it: 4), holds for RTX 3090" in said(at)


def test_a_measurement_that_no_machine_on_offer_can_repeat_is_said(open_page: OpenPage) -> None:
    at = open_page(
        "self_host",
        query=MILLIONS | {"sh_measured": "5000", "sh_measured_gpu": "H100-80GB", "sh_measured_gpus": "64"},
    )

    assert "No machine on offer has 64 × H100-80GB" in said(at)


def test_a_share_without_a_price_of_its_kind_is_said(open_page: OpenPage) -> None:
    at = open_page("self_host", query=MILLIONS | {"sh_reserved_share": "100"})

    assert "No price for reserving 1 × RTX PRO 6000 at Vast.ai is younger than 90 days" in said(at)


def test_cheaper_above_and_below_a_small_crossing_is_no_always(open_page: OpenPage) -> None:
    """Prompts of a million tokens: few requests cost an API as much as a fleet."""
    query = {"sh_model": "llama-3.1-8b", "req": "50", "in": "1000000", "out": "100", "sh_staff_fte": "0"}
    at = open_page("self_host", query=GPT | query)

    assert at.metric[3].value not in {"always", "never"}
    assert "Conclusion: call the API" in said(at)


def test_an_emptied_field_takes_its_default_and_says_so(open_page: OpenPage) -> None:
    at = open_page("self_host", query=MILLIONS)
    at.session_state["sh_more"] = True
    at.run()
    before = at.metric[1].value
    at.number_input(key="sh_staff_fte").set_value(None).run()

    assert at.number_input(key="sh_staff_fte").value == 0.25
    assert at.metric[1].value == before
    assert any("nothing is entered, so 0.25 is used" in one.value for one in at.warning)
