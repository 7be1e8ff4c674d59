"""Do overrides, discounts, seeding and provenance of model prices hold?"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from core.catalog import Catalog, TokenUsage, UnknownModelError, open_catalog
from core.catalog.llm_seed import seed_llm

MILLION_IN = TokenUsage(input_tokens=1_000_000)
YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)


@pytest.fixture
def catalog(database_url: str) -> Catalog:
    return open_catalog(database_url)


def test_an_override_decides_until_it_is_removed_and_its_row_is_kept(catalog: Catalog) -> None:
    catalog.llm.set_override("gpt-4.1", {"input": 1_500_000}, reason="contract")
    assert catalog.quote("gpt-4.1", MILLION_IN).cost_usd == Decimal("1.5")
    assert [(key, row.note) for key, row in catalog.llm.overrides()] == [("openai/gpt-4.1", "contract")]
    catalog.llm.remove_override("gpt-4.1")
    assert catalog.quote("gpt-4.1", MILLION_IN).cost_usd == 2
    with catalog.engine.connect() as opened:
        kept = opened.execute(text("SELECT count(*) FROM llm_price WHERE layer = 'user'")).scalar_one()
    assert kept == 1


def test_a_second_override_takes_the_place_of_the_first(catalog: Catalog) -> None:
    catalog.llm.set_override("gpt-4.1", {"input": 1_500_000}, reason="old")
    catalog.llm.set_override("gpt-4.1", {"input": 1_000_000}, reason="new")
    assert catalog.quote("gpt-4.1", MILLION_IN).cost_usd == 1
    assert len(catalog.llm.overrides()) == 1


def test_an_override_that_makes_no_sense_is_refused(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        catalog.llm.set_override("gpt-4.1", {"input": -1}, reason="")
    with pytest.raises(UnknownModelError):
        catalog.llm.set_override("gpt-9000-nothing", {"input": 1}, reason="")


def test_a_discount_lowers_prices_from_its_day_on_and_not_before(catalog: Catalog) -> None:
    catalog.llm.set_discount("openai", 0.1, "enterprise agreement")
    now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    discounted = catalog.quote("gpt-4.1", MILLION_IN, at=now)
    assert discounted.cost_usd == Decimal("1.8")
    assert "less 10.0%" in discounted.source
    assert catalog.quote("gpt-4.1", MILLION_IN, at=YESTERDAY).cost_usd == 2
    assert catalog.quote("claude-haiku-4-5", MILLION_IN, at=now).cost_usd == 1
    assert catalog.llm.discounts() == {"openai": (0.1, "enterprise agreement")}
    catalog.llm.set_discount("openai", 0, "")
    assert catalog.quote("gpt-4.1", MILLION_IN, at=now).cost_usd == 2


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_discount_outside_its_range_is_refused(catalog: Catalog, share: float) -> None:
    with pytest.raises(ValueError, match="give a share"):
        catalog.llm.set_discount("openai", share, "")


def test_another_processs_change_is_noticed(database_url: str) -> None:
    one, two = open_catalog(database_url), open_catalog(database_url)
    assert two.quote("gpt-4.1", MILLION_IN).cost_usd == 2
    one.llm.set_override("gpt-4.1", {"input": 1_000_000}, reason="")
    two.llm._checked_at = float("-inf")
    assert two.quote("gpt-4.1", MILLION_IN).cost_usd == 1


def test_seeding_again_changes_nothing(catalog: Catalog) -> None:
    with catalog.engine.connect() as opened:
        before = opened.execute(text("SELECT count(*), max(id) FROM llm_price")).one()
    assert seed_llm(catalog.engine) == []
    with catalog.engine.connect() as opened:
        assert opened.execute(text("SELECT count(*), max(id) FROM llm_price")).one() == before


def test_new_files_close_the_old_rows_and_keep_overrides(catalog: Catalog, tmp_path: Path) -> None:
    from core.costs.facts import DATA

    folder = tmp_path / "data"
    folder.mkdir()
    for path in DATA.glob("*.csv"):
        if "llm" in path.name:
            (folder / path.name).write_bytes(path.read_bytes())
    corrections = folder / "llm_corrections.csv"
    corrections.write_text(corrections.read_text().replace(",0.28,", ",0.29,"))
    catalog.llm.set_override("gpt-4.1", {"input": 1_000_000}, reason="")
    assert seed_llm(catalog.engine, folder=folder) == []
    catalog.llm._checked_at = float("-inf")
    assert catalog.quote("deepseek-chat-v3.2", MILLION_IN).cost_usd == Decimal("0.29")
    assert catalog.quote("gpt-4.1", MILLION_IN).cost_usd == 1
    with catalog.engine.connect() as opened:
        closed = opened.execute(text("SELECT count(*) FROM llm_price WHERE closed_at IS NOT NULL")).scalar_one()
    assert closed > 8_000


def test_a_broken_line_is_refused_with_its_reason_and_the_rest_is_taken(catalog: Catalog, tmp_path: Path) -> None:
    from core.costs.facts import DATA

    folder = tmp_path / "data"
    folder.mkdir()
    for path in DATA.glob("*.csv"):
        if "llm" in path.name:
            (folder / path.name).write_bytes(path.read_bytes())
    with (folder / "llm_corrections.csv").open("a") as file:
        file.write("openai,gpt-4.1,input,turbo,1,,,,,,,A,broken,,\n")
    refused = seed_llm(catalog.engine, folder=folder)
    assert len(refused) == 1
    catalog.llm._checked_at = float("-inf")
    assert catalog.quote("gpt-4.1", MILLION_IN).cost_usd == 2


def test_every_price_has_a_source_and_every_layer_is_there(catalog: Catalog) -> None:
    rows = [row for sheet in catalog.llm.sheets().values() for row in (*sheet.rows, *sheet.shown_rows)]
    assert all(row.source for row in rows)
    assert set(Counter(row.layer for row in rows)) == {"bundle", "correction", "other", "article"}
