"""Invariants over the shipped GPU data: each row can be believed, dated and traced."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from core.catalog import gpu_rows
from core.catalog.feeds.gpu_names import MEMORY_GB
from core.catalog.rows import RefusedRow, read_rows
from core.costs.facts import DATA
from core.costs.gpu_ranking import vendor_of
from core.costs.gpu_specs import gpu_specs
from core.costs.gpus import GpuOffer


@pytest.fixture(scope="module")
def offers() -> list[GpuOffer]:
    refused: list[RefusedRow] = []
    found = [one for one, _ in read_rows(DATA / "gpu_offers.csv", gpu_rows.offer, refused)]
    assert refused == []
    return found


def test_prices_memory_sources_and_days_are_plausible(offers: list[GpuOffer]) -> None:
    today = dt.datetime.now(dt.UTC).date()

    for one in offers:
        assert 0.005 <= one.usd_per_gpu_hour <= 25, one
        assert one.source, one
        assert one.as_of is None or dt.date(2023, 1, 1) <= one.as_of <= today, one
        assert one.as_of or one.as_of_note, one
        assert 1 <= one.gpu_count <= 16, one


def test_reserved_offers_say_how_long_and_others_promise_nothing(offers: list[GpuOffer]) -> None:
    assert {one.commitment_months for one in offers if one.purchase_option == "reserved"} == {12, 36}
    assert {one.commitment_months for one in offers if one.purchase_option != "reserved"} == {0}


def test_every_provider_is_described_and_every_spec_is_of_a_known_maker(offers: list[GpuOffer]) -> None:
    refused: list[RefusedRow] = []
    known = {one.provider_id for one in read_rows(DATA / "providers.csv", gpu_rows.provider, refused)}

    assert refused == []
    assert {one.provider_id for one in offers} <= known
    assert {vendor_of(model) for model, _ in gpu_specs()} == {spec.vendor for spec in gpu_specs().values()}


def test_specs_agree_with_the_memory_by_which_feeds_are_checked() -> None:
    for (model, _), spec in gpu_specs().items():
        assert spec.memory_gb == pytest.approx(MEMORY_GB[model], rel=0.01), model


def test_no_offer_is_the_articles(offers: list[GpuOffer]) -> None:
    assert not [one for one in offers if "article" in one.source]


@pytest.mark.parametrize(
    ("column", "text"),
    [("usd_per_hour", "0"), ("usd_per_hour", "nan"), ("usd_per_hour", ""),
     ("gpu_count", "many"), ("gpu_count", "0.5"), ("as_of", "soon"),
     ("as_of", "2999-01-01"), ("purchase_option", "gift"), ("region_confirmed", "maybe"), ("source", ""),
     ("provider_id", " ")],
)  # fmt: skip
def test_a_cell_that_cannot_be_right_is_refused_by_name(column: str, text: str, tmp_path: Path) -> None:
    head, first = (DATA / "gpu_offers.csv").read_text(encoding="utf-8").splitlines()[:2]
    names, cells = head.split(","), first.split(",")
    cells[names.index(column)] = text
    path = tmp_path / "offers.csv"
    path.write_text(f"{head}\n{','.join(cells)}\n", encoding="utf-8")
    refused: list[RefusedRow] = []

    assert list(read_rows(path, gpu_rows.offer, refused)) == []
    assert refused[0].row == 2
    assert column in str(refused[0].reason)
