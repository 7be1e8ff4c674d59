"""The refreshed feed of model prices: every trap of the table, precedence, history, held moves, undoing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from core.catalog import Catalog, NoPriceError, TokenUsage, llm_refresh, open_catalog
from core.catalog.feeds.litellm_prices import SOURCE, parse
from core.catalog.feeds.parsed import FeedError, ParsedModels
from core.catalog.llm_refresh import forget, last_refresh, preview, take
from core.catalog.llm_seed import seed_llm
from core.catalog.llm_sources import MODEL_SOURCES, ModelSource
from core.costs.facts import DATA

DAY = dt.date(2026, 11, 1)
MILLION = TokenUsage(input_tokens=1_000_000, output_tokens=1_000_000)
# GPT-4.1 as the table writes it: USD per token, batch beside standard.
GPT = {
    "litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1047576, "input_cost_per_token": 2e-06,
    "output_cost_per_token": 8e-06, "cache_read_input_token_cost": 5e-07,
}  # fmt: skip


def feed(entries: dict[str, Any], day: dt.date = DAY) -> ParsedModels:
    return parse(json.dumps(entries).encode(), day)


def prices(entry: dict[str, Any], name: str = "gpt-4.1") -> dict[tuple[str, str, int], int]:
    (model,) = feed({name: entry}).models
    return {(row.component, row.processing, row.min_input_tokens): row.micro_usd_per_mtok for row in model.rows}


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    with open_catalog(database_url) as opened:
        yield opened


def refreshed(catalog: Catalog, entries: dict[str, Any], day: dt.date = DAY) -> None:
    take(catalog.engine, preview(catalog.engine, feed(entries, day)))
    catalog.llm.forget_version()


def test_usd_per_token_with_exponents_and_division_noise_become_whole_micro_usd() -> None:
    entry = GPT | {"input_cost_per_token": 1.9999999999999998e-06, "cache_read_input_token_cost": 7.5e-08}
    assert prices(entry) == {
        ("input", "standard", 0): 2_000_000, ("output", "standard", 0): 8_000_000,
        ("cache_read", "standard", 0): 75_000,
    }  # fmt: skip


def test_tiers_processings_and_both_cache_writes_are_read() -> None:
    entry = GPT | {
        "input_cost_per_token_above_200k_tokens": 4e-06, "cache_creation_input_token_cost": 2.5e-06,
        "cache_creation_input_token_cost_above_1hr": 4e-06, "input_cost_per_token_batches": 1e-06,
        "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 8e-06, "output_cost_per_token_batches": 4e-06,
        "input_cost_per_token_priority": 3.5e-06, "output_cost_per_token_ultrafast": 1e-05,
    }  # fmt: skip
    found = prices(entry)
    assert found[("input", "standard", 200_000)] == 4_000_000
    assert found[("cache_write_5m", "standard", 0)] == 2_500_000
    assert found[("cache_write_1h", "standard", 0)] == 4_000_000
    assert found[("cache_write_1h", "standard", 200_000)] == 8_000_000
    assert found[("output", "batch", 0)] == 4_000_000
    assert {processing for _, processing, _ in found} == {"standard", "batch"}, "priority lacks an output price"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (GPT | {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}, "does not say that it is free"),
        (GPT | {"deprecation_date": "2026-10-31"}, "retired on 2026-10-31; its last price stays"),
        (GPT | {"input_cost_per_token": -1}, "outside 0 to 2000"),
        (GPT | {"input_cost_per_token": 2.0}, "outside 0 to 2000"),
        (GPT | {"output_cost_per_token": "8e-06"}, "no number"),
        (GPT | {"tiered_pricing": [{"range": [0, 1]}]}, "prices by range"),
        ("text", "is no object"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_by_name_and_reason(entry: Any, reason: str) -> None:
    found = feed({"gpt-4.1": entry, "gpt-4.1-mini": GPT})
    assert [one.model_id for one in found.models] == ["gpt-4.1-mini"]
    assert [reason in str(one) and "gpt-4.1" in str(one) for one in found.refused] == [True]


def test_prefixes_name_the_seller_and_resellers_of_other_ids_are_left_out() -> None:
    entries = {
        "gemini/gemini-2.5-flash": GPT | {"litellm_provider": "gemini"},
        "xai/grok-4": GPT | {"litellm_provider": "xai"},
        "azure/gpt-4.1": GPT | {"litellm_provider": "azure"},
        "vercel_ai_gateway/openai/gpt-4.1": GPT | {"litellm_provider": "vercel_ai_gateway"},
        "openai/gpt-image": GPT | {"mode": "image_generation"},
        "sample_spec": GPT,
    }
    assert [one.key for one in feed(entries).models] == ["google/gemini-2.5-flash", "x-ai/grok-4"]


def test_a_second_entry_of_a_model_and_an_odd_cache_price_are_not_taken() -> None:
    found = feed({"gpt-4.1": GPT | {"cache_read_input_token_cost": 3e-06}, "openai/gpt-4.1": GPT})
    assert [row.component for row in found.models[0].rows] == ["input", "output"]
    assert len(found.refused) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b"{}", b"\xff\xfe", b'[{"id": "openai"}]', b'{"a": {"b": 1}}', b"[" * 100_000,
     b'{"a": {"litellm_provider": "openai", "input_cost_per_token": NaN}}'],
)  # fmt: skip
def test_another_file_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(FeedError):
        parse(content, DAY)


def test_a_feed_price_bills_from_its_day_on_under_corrections_and_over_the_bundle(catalog: Catalog) -> None:
    refreshed(catalog, {"gpt-4.1": GPT | {"input_cost_per_token": 2.2e-06}, "deepseek/deepseek-chat": GPT | {
        "litellm_provider": "deepseek", "input_cost_per_token": 3e-07, "output_cost_per_token": 4.5e-07,
        "cache_read_input_token_cost": 3e-08}})  # fmt: skip
    now = catalog.quote("gpt-4.1", MILLION, noon(DAY))
    assert now.cost_usd == Decimal("10.2")
    assert (now.source, now.as_of, now.lines[0].row.layer) == (SOURCE, DAY, "feed")
    assert catalog.quote("gpt-4.1", MILLION, noon(DAY - dt.timedelta(days=1))).cost_usd == 10
    assert catalog.quote("gpt-4.1", MILLION, noon(DAY), "batch").cost_usd == 5, "what the feed does not state stays"
    assert catalog.quote("deepseek/deepseek-chat", MILLION, noon(DAY)).cost_usd == Decimal("0.70"), "a correction"
    catalog.llm.set_override("gpt-4.1", {"input": 1_000_000}, reason="contract")
    assert catalog.quote("gpt-4.1", MILLION, noon(DAY)).cost_usd == 9


def test_a_moved_price_ends_where_the_next_begins_and_nothing_is_lost(catalog: Catalog) -> None:
    later = DAY + dt.timedelta(days=10)
    refreshed(catalog, {"gpt-4.1": GPT})
    refreshed(catalog, {"gpt-4.1": GPT | {"input_cost_per_token": 3e-06}}, later)
    assert catalog.quote("gpt-4.1", MILLION, noon(later - dt.timedelta(days=1))).cost_usd == 10
    assert catalog.quote("gpt-4.1", MILLION, noon(later)).cost_usd == 11
    with catalog.engine.connect() as opened:
        kept = opened.execute(text("SELECT count(*) FROM llm_price WHERE layer = 'feed'")).scalar_one()
    assert kept == 3 + 3 + 1, "three prices twice, and the ended one"


def test_a_price_seen_again_becomes_young_and_keeps_its_start(catalog: Catalog) -> None:
    later = DAY + dt.timedelta(days=10)
    refreshed(catalog, {"gpt-4.1": GPT})
    refreshed(catalog, {"gpt-4.1": GPT}, later)
    quote = catalog.quote("gpt-4.1", MILLION, noon(DAY))
    assert quote.as_of == later
    assert quote.lines[0].row.valid_from == dt.datetime.combine(DAY, dt.time(), dt.UTC)


def test_noise_is_no_change_and_a_large_move_is_held(catalog: Catalog) -> None:
    diff = preview(catalog.engine, feed({"gpt-4.1": GPT | {"input_cost_per_token": 2.006e-06}}))
    assert diff.taken[0].rows[0].micro_usd_per_mtok == 2_000_000
    assert not diff.changed
    diff = preview(catalog.engine, feed({"gpt-4.1": GPT | {"input_cost_per_token": 4.1e-06}}))
    assert [(one.reason, one.detail) for one in diff.held] == [("move", "standard input 2 -> 4.1")]
    assert diff.refused_because is not None


def test_an_entry_poorer_than_what_is_held_is_held(catalog: Catalog) -> None:
    bare = {name: value for name, value in GPT.items() if name != "cache_read_input_token_cost"}
    diff = preview(catalog.engine, feed({"gpt-4.1": bare}))
    assert [(one.reason, one.detail) for one in diff.held] == [("incomplete", "standard cache_read")]


def test_a_table_from_before_our_price_began_or_was_checked_is_held(catalog: Catalog) -> None:
    older = feed({"gpt-4.1": GPT | {"input_cost_per_token_batches": 1e-06, "output_cost_per_token_batches": 4e-06,
                                    "cache_read_input_token_cost_batches": 5e-07}}, dt.date(2026, 9, 1))  # fmt: skip
    diff = preview(catalog.engine, older)
    assert [one.reason for one in diff.held] == ["older"], "its batch prices were verified in October"


def test_an_older_or_thinner_feed_is_refused_whole(catalog: Catalog) -> None:
    refreshed(catalog, {"gpt-4.1": GPT, "gpt-4.1-next": GPT})
    older = preview(catalog.engine, feed({"gpt-4.1": GPT, "gpt-4.1-next": GPT}, DAY - dt.timedelta(days=1)))
    thinner = preview(catalog.engine, feed({"gpt-4.1": GPT}))
    assert "older than" in str(older.refused_because)
    assert "fewer than 80%" in str(thinner.refused_because)
    with pytest.raises(ValueError, match="fewer than 80"):
        take(catalog.engine, thinner)


def test_a_makers_new_model_is_added_outlives_the_next_seeding_and_has_no_earlier_price(catalog: Catalog) -> None:
    refreshed(catalog, {"gpt-77-next": GPT, "gpt-4.1-2025-04-14": GPT})
    assert catalog.quote("openai/gpt-77-next", MILLION, noon(DAY)).cost_usd == 10
    with pytest.raises(NoPriceError, match="no price before 2026-11-01"):
        catalog.quote("openai/gpt-77-next", MILLION, noon(DAY - dt.timedelta(days=1)))
    assert "openai/gpt-4.1-2025-04-14" not in catalog.llm.sheets(), "a dated id is another name"
    with catalog.engine.begin() as opened:
        opened.execute(text("UPDATE meta SET value = 'old' WHERE key = 'llm bundle'"))
    seed_llm(catalog.engine, folder=DATA)
    catalog.llm.forget_version()
    assert catalog.quote("openai/gpt-77-next", MILLION, noon(DAY)).cost_usd == 10


def test_a_refresh_can_be_undone_and_done_again(catalog: Catalog) -> None:
    refreshed(catalog, {"gpt-4.1": GPT | {"input_cost_per_token": 3e-06}})
    assert last_refresh(catalog.engine, SOURCE) is not None
    assert forget(catalog.engine, SOURCE) == 3
    assert last_refresh(catalog.engine, SOURCE) is None
    catalog.llm.forget_version()
    assert catalog.quote("gpt-4.1", MILLION, noon(DAY)).cost_usd == 10
    refreshed(catalog, {"gpt-4.1": GPT}, DAY - dt.timedelta(days=1))
    assert catalog.quote("gpt-4.1", MILLION, noon(DAY)).lines[0].row.layer == "feed"


def test_the_command_takes_a_file_or_says_why_not(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", database_url)
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"gpt-4.1": GPT, "gpt-4o": GPT | {"input_cost_per_token": 9e-06}}), encoding="utf-8")
    assert llm_refresh.main([str(path)]) == 0
    said = capsys.readouterr().out
    assert "held: openai/gpt-4o: move" in said
    assert "3 prices added, 0 changed, 0 confirmed, 0 new models, 1 models held" in said
    assert llm_refresh.main([str(tmp_path / "none.json")]) == 1
    with pytest.raises(SystemExit):
        llm_refresh.main(["--source", "nobody"])
    assert "choose from" in capsys.readouterr().err
    dead = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(503)))
    assert llm_refresh.main([], dead) == 1
    assert "answers 503" in capsys.readouterr().out


def test_another_source_is_one_line_for_the_command(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def parse_other(content: bytes, day: dt.date) -> ParsedModels:
        return replace(feed(json.loads(content), day), source="another")

    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"gpt-4.1": GPT})

    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", database_url)
    monkeypatch.setitem(
        MODEL_SOURCES, "other", ModelSource(source="another", url="https://prices.example/t.json", parse=parse_other)
    )
    upstream = httpx.Client(transport=httpx.MockTransport(answer))
    assert llm_refresh.main(["--source", "other"], upstream) == 0
    assert asked == ["https://prices.example/t.json"]
    assert capsys.readouterr().out.startswith("another: 3 prices added")


def test_a_source_that_cannot_be_reached_is_told_in_one_sentence(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hang_up(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", database_url)
    assert llm_refresh.main([], httpx.Client(transport=httpx.MockTransport(hang_up))) == 1
    assert capsys.readouterr().out == "The source cannot be reached (ConnectError): try again later.\n"
