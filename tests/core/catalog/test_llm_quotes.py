"""Does the shipped catalog price requests as the vendors' public lists did at the time? Worked out by hand."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from core.catalog import Catalog, NoPriceError, TokenUsage, open_catalog
from core.costs.tokens_rivals import disagreements


@pytest.fixture(scope="module")
def catalog(filled_database: Path) -> Iterator[Catalog]:
    with open_catalog(f"sqlite:///{filled_database}") as opened:
        yield opened


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


# model, (input, of it cached, written for 5 minutes, for 1 hour, output), moment UTC, processing, USD
GOLDEN = [
    ("openai/gpt-4o", (1000000, 0, 0, 0, 1000000), "2024-06-01T00:00", "standard", "20"),
    ("openai/gpt-4o", (1000000, 0, 0, 0, 1000000), "2024-06-01T00:00", "batch", "10"),
    ("openai/gpt-4o", (1000000, 0, 0, 0, 1000000), "2024-10-02T00:00", "standard", "12.5"),
    ("openai/gpt-4o-2024-05-13", (1000000, 0, 0, 0, 1000000), "2026-11-23T12:00", "standard", "20"),
    ("openai/gpt-4o-2024-08-06", (1000000, 0, 0, 0, 1000000), "2024-09-01T00:00", "standard", "12.5"),
    ("gpt-4-turbo-2024-04-09", (1000000, 0, 0, 0, 1000000), "2024-05-01T00:00", "standard", "40"),
    ("gpt-4-0125-preview", (1000000, 0, 0, 0, 1000000), "2024-02-01T00:00", "standard", "40"),
    ("gpt-3.5-turbo", (1000000, 0, 0, 0, 1000000), "2024-05-01T00:00", "standard", "2"),
    ("gpt-3.5-turbo", (1000000, 0, 0, 0, 1000000), "2024-02-01T00:00", "standard", "3.5"),
    ("gpt-3.5-turbo-0125", (1000000, 0, 0, 0, 1000000), "2024-02-01T00:00", "standard", "2"),
    ("openai/o3", (1000000, 0, 0, 0, 1000000), "2025-05-01T00:00", "standard", "50"),
    ("openai/o3", (1000000, 1000000, 0, 0, 1000000), "2025-05-01T00:00", "standard", "42.5"),
    ("openai/o3", (1000000, 0, 0, 0, 1000000), "2025-06-10T00:00", "standard", "10"),
    ("openai/o3", (1000000, 0, 0, 0, 1000000), "2025-07-01T00:00", "batch", "5"),
    ("openai/o3", (1000000, 0, 0, 0, 1000000), "2025-05-01T00:00", "flex", "25"),
    ("o1-mini", (1000000, 0, 0, 0, 1000000), "2024-10-01T00:00", "standard", "15"),
    ("claude-opus-4-6", (200001, 0, 0, 0, 1000), "2026-03-01T00:00", "standard", "2.03751"),
    ("claude-opus-4-6", (200001, 0, 0, 0, 1000), "2026-04-01T00:00", "standard", "1.025005"),
    ("google/gemini-3-pro-preview", (200001, 0, 0, 0, 1000), "2025-12-01T00:00", "standard", "0.818004"),
    ("x-ai/grok-4-fast", (128001, 0, 0, 0, 1000), "2025-10-01T00:00", "standard", "0.0522004"),
    ("openai/o3", (1000000, 0, 0, 0, 1000000), "2025-06-10T00:00", "flex", "5"),
    ("openai/o4-mini", (1000000, 0, 0, 0, 1000000), "2025-06-01T00:00", "flex", "2.75"),
    ("openai/gpt-5", (1000000, 1000000, 0, 0, 1000000), "2025-09-01T00:00", "flex", "5.0625"),
    ("openai/gpt-5", (1000000, 0, 0, 0, 1000000), "2026-10-12T00:00", "priority", "22.5"),
    ("openai/gpt-5", (1000000, 0, 0, 0, 1000000), "2025-09-01T00:00", "priority", "22.5"),
    ("openai/gpt-5-mini", (1000000, 0, 0, 0, 1000000), "2025-09-01T00:00", "priority", "4.05"),
    ("openai/gpt-4.1", (1000000, 0, 0, 0, 1000000), "2025-09-01T00:00", "priority", "17.5"),
    ("anthropic.claude-3-5-sonnet-20241022-v2:0", (1000000, 0, 0, 0, 1000000), "2025-06-01T00:00", "standard", "18"),
    ("anthropic/claude-3-5-haiku-20241022", (1000000, 0, 0, 0, 1000000), "2024-11-15T00:00", "standard", "6"),
    ("anthropic/claude-3-5-haiku-20241022", (1000000, 0, 0, 0, 1000000), "2025-01-15T00:00", "standard", "4.8"),
    ("openai/gpt-5", (1000000, 1000000, 0, 0, 0), "2025-09-01T00:00", "batch", "0.0625"),
    ("openai/gpt-5.1", (1000000, 500000, 0, 0, 100000), "2025-12-01T00:00", "flex", "0.84375"),
    ("openai/gpt-5.2", (1000000, 0, 0, 0, 100000), "2026-01-15T00:00", "priority", "6.3"),
    ("openai/text-embedding-3-small", (1000000, 0, 0, 0, 0), "2025-06-01T00:00", "batch", "0.01"),
    ("google/gemini-3-pro-preview", (200001, 0, 0, 0, 1000), "2025-12-10T00:00", "batch", "0.409002"),
    ("google/gemini-1.0-pro", (1000000, 0, 0, 0, 1000000), "2024-06-10T00:00", "standard", "2"),
    ("google/gemini-2.5-pro", (100000, 100000, 0, 0, 0), "2025-07-15T00:00", "standard", "0.031"),
    ("google/gemini-2.5-pro", (100000, 100000, 0, 0, 0), "2025-12-15T00:00", "standard", "0.0125"),
    ("mistral/mistral-large-2407", (1000000, 0, 0, 0, 1000000), "2024-08-01T00:00", "standard", "12"),
    ("mistral/mistral-large-2407", (1000000, 0, 0, 0, 1000000), "2024-10-01T00:00", "standard", "8"),
    ("google/gemini-1.5-pro", (128000, 0, 0, 0, 1000), "2024-09-15T00:00", "standard", "0.4585"),
    ("google/gemini-1.5-pro", (128001, 0, 0, 0, 1000), "2024-11-15T00:00", "standard", "0.3300025"),
    ("google/gemini-1.5-pro-002", (1000, 0, 0, 0, 1000), "2024-11-15T00:00", "standard", "0.00625"),
    ("google/gemini-2.5-pro", (200000, 0, 0, 0, 1000), "2026-11-23T12:00", "standard", "0.26"),
    ("google/gemini-2.5-pro", (200001, 0, 0, 0, 1000), "2026-11-23T12:00", "standard", "0.5150025"),
    ("google/gemini-2.5-pro", (200001, 0, 0, 0, 1000), "2026-11-23T12:00", "batch", "0.25750125"),
    ("google/gemini-2.5-pro", (300000, 100000, 0, 0, 1000), "2026-11-23T12:00", "standard", "0.540"),
    ("claude-sonnet-4-20250514", (200000, 0, 0, 0, 1000), "2025-09-01T00:00", "standard", "0.615"),
    ("claude-sonnet-4-20250514", (200001, 0, 0, 0, 1000), "2025-09-01T00:00", "standard", "1.222506"),
    ("claude-sonnet-4-20250514", (300000, 0, 0, 0, 1000), "2025-09-01T00:00", "batch", "0.91125"),
    ("claude-sonnet-4-5", (300000, 100000, 100000, 50000, 1000), "2025-12-01T00:00", "standard", "1.7325"),
    ("claude-sonnet-4-5-20250929", (250000, 0, 0, 0, 1000), "2025-12-01T00:00", "batch", "0.76125"),
    ("deepseek/deepseek-chat", (1000000, 0, 0, 0, 1000000), "2025-03-01T12:00", "standard", "1.37"),
    ("deepseek/deepseek-chat", (1000000, 0, 0, 0, 1000000), "2025-03-01T16:30", "standard", "0.685"),
    ("deepseek/deepseek-chat", (1000000, 0, 0, 0, 1000000), "2025-03-01T00:30", "standard", "1.37"),
    ("deepseek/deepseek-chat", (1000000, 0, 0, 0, 1000000), "2025-03-01T00:29", "standard", "0.685"),
    ("deepseek/deepseek-chat", (1000000, 0, 0, 0, 1000000), "2025-09-05T15:59", "standard", "1.37"),
    ("deepseek/deepseek-chat", (1000000, 0, 0, 0, 1000000), "2025-09-05T16:00", "standard", "2.24"),
    ("deepseek/deepseek-chat", (1000000, 1000000, 0, 0, 1000000), "2026-11-23T12:00", "standard", "0.448"),
    ("deepseek/deepseek-chat", (1000000, 0, 0, 0, 1000000), "2024-12-01T00:00", "standard", "0.42"),
    ("deepseek/deepseek-chat", (1000000, 0, 0, 0, 1000000), "2025-02-08T16:00", "standard", "1.37"),
    ("deepseek/deepseek-reasoner", (1000000, 0, 0, 0, 1000000), "2025-01-25T20:00", "standard", "2.74"),
    ("deepseek/deepseek-v4-flash", (1000000, 0, 0, 0, 1000000), "2026-10-03T07:00", "standard", "0.75"),
    ("deepseek/deepseek-v4-flash", (1000000, 0, 0, 0, 1000000), "2026-10-02T07:00", "standard", "1.5"),
    ("deepseek/deepseek-v4-flash", (1000000, 0, 0, 0, 1000000), "2026-08-16T16:00", "standard", "0.88"),
    ("deepseek/deepseek-v4-flash", (1000000, 0, 0, 0, 1000000), "2026-08-16T15:59", "standard", "0.42"),
    ("deepseek/deepseek-v4-flash", (1000000, 0, 0, 0, 1000000), "2026-08-20T02:00", "standard", "1.76"),
    ("mistral/mistral-large-latest", (1000000, 0, 0, 0, 1000000), "2026-11-23T12:00", "standard", "2"),
    ("mistral/mistral-large-latest", (1000000, 0, 0, 0, 1000000), "2025-06-01T00:00", "standard", "8"),
    ("deepseek-chat-v3.2", (1000000, 0, 0, 0, 1000000), "2026-11-23T12:00", "standard", "0.7"),
    ("openai/gpt-4.1", (1, 0, 0, 0, 0), "2026-11-23T12:00", "standard", "0.000002"),
    ("openai/gpt-4o-mini", (1, 0, 0, 0, 1), "2026-11-23T12:00", "standard", "7.5E-7"),
    ("openai/gpt-5-nano", (1, 1, 0, 0, 0), "2026-11-23T12:00", "standard", "5E-9"),
    ("gemini-2.5-flash", (1000000, 0, 0, 0, 1000000), "2026-11-23T12:00", "standard", "2.8"),
    ("claude-opus-4-1", (1000000, 0, 1000000, 0, 0), "2026-11-23T12:00", "standard", "18.75"),
    ("claude-opus-4-1", (1000000, 0, 0, 1000000, 0), "2026-11-23T12:00", "standard", "30"),
    ("claude-haiku-4-5", (1000000, 1000000, 0, 0, 1000000), "2026-11-23T12:00", "batch", "2.55"),
    ("openai/gpt-4.1", (1000000, 1000000, 0, 0, 1000000), "2026-11-23T12:00", "batch", "4.5"),
    ("x-ai/grok-4", (200000, 0, 0, 0, 1000), "2026-11-23T12:00", "standard", "1.23"),
    ("gpt-4o-mini-2024-07-18", (1000000, 0, 0, 0, 1000000), "2024-08-01T00:00", "batch", "0.375"),
    ("openai/gpt-5.5", (272001, 0, 0, 0, 1), "2026-11-23T12:00", "standard", "2.720055"),
    ("openai/gpt-5.5", (272001, 0, 0, 0, 0), "2026-11-23T12:00", "batch", "1.360005"),
    ("anthropic/claude-3-opus-20240229", (1000000, 0, 0, 0, 1000000), "2024-04-01T00:00", "standard", "90"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "tokens", "at", "processing", "usd"), GOLDEN)
def test_a_request_costs_what_the_list_price_says(
    catalog: Catalog, model: str, tokens: tuple[int, ...], at: str, processing: str, usd: str
) -> None:
    names = ("input_tokens", "cached_input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")
    usage = TokenUsage(**dict(zip(names, tokens, strict=True)))
    assert catalog.quote(model, usage, at=moment(at), processing=processing).cost_usd == Decimal(usd)


@pytest.mark.parametrize(
    ("model", "at", "processing", "words"),
    [
        ("openai/gpt-4.1", "2023-01-01", "standard", "no price before 2025-04-14"),
        ("openai/gpt-4.1", "2023-01-01", "batch", "no price before 2025-04-14"),
        ("deepseek/deepseek-reasoner", "2024-12-31", "standard", "no price before 2025-01-20"),
        ("groq/llama-3.3-70b-versatile", "2026-01-01", "batch", "no price"),
    ],
)
def test_what_was_not_for_sale_has_no_price(catalog: Catalog, model: str, at: str, processing: str, words: str) -> None:
    with pytest.raises(NoPriceError, match=words):
        catalog.quote(model, TokenUsage(input_tokens=1), at=moment(at), processing=processing)


def test_the_article_model_is_retired_and_still_priced(catalog: Catalog) -> None:
    quote = catalog.quote("claude-sonnet-4-20250514", TokenUsage(input_tokens=1_000_000, output_tokens=1_000_000))
    assert quote.cost_usd == 18 + Decimal("10.5")  # a prompt of a million tokens is in the long-context tier
    assert "retired" in quote.warnings


def test_the_articles_prices_are_kept_and_never_bill(catalog: Catalog) -> None:
    sheet = catalog.llm.sheet("deepseek-chat-v3.2")
    assert {row.layer for row in sheet.shown_rows} == {"article", "other"}
    quote = catalog.quote("deepseek-chat-v3.2", TokenUsage(input_tokens=1_000_000))
    assert quote.cost_usd == Decimal("0.28")
    assert quote.source.startswith("V3.2")


def test_sources_that_differ_are_shown_with_both_figures(catalog: Catalog) -> None:
    found = disagreements(catalog.llm.sheet("mistral/mistral-large-latest"))
    assert {(one.used.price_text, one.rival.price_text) for one in found} >= {("0.50", "2"), ("1.50", "6")}
    assert disagreements(catalog.llm.sheet("openai/gpt-4.1")) == ()


def test_every_price_can_be_quoted_or_says_why_not(catalog: Catalog) -> None:
    priced = 0
    for sheet in catalog.llm.sheets().values():
        try:
            quote = catalog.quote(sheet.key, TokenUsage(input_tokens=1_000))
        except NoPriceError:
            continue
        priced += 1
        assert quote.cost_usd >= 0
    assert priced > 2_000


def test_three_thousand_requests_cost_what_genai_prices_says_where_it_is_right(catalog: Catalog) -> None:
    import genai_prices
    from genai_prices.types import Usage

    corrected = {key for key, sheet in catalog.llm.sheets().items() if any(r.layer == "correction" for r in sheet.rows)}
    rng = random.Random(3)
    keys = sorted(
        key
        for key, sheet in catalog.llm.sheets().items()
        if key.split("/")[0] in {"openai", "anthropic", "google", "mistral", "x-ai", "groq", "cohere", "deepseek"}
        and key not in corrected
        and not any(row.is_special for row in sheet.rows)
        and sheet.modalities == ("text",)
        and {("input", "standard"), ("output", "standard"), ("cache_read", "standard")} <= sheet.by_part.keys()
    )
    assert len(keys) > 100
    done = 0
    while done < 3_000:
        key = rng.choice(keys)
        tokens = rng.choice((rng.randint(1, 5_000), rng.randint(1, 500_000)))
        cached, output = rng.randint(0, tokens), rng.randint(0, 8_000)
        at = moment("2026-10-20") - dt.timedelta(hours=rng.randint(0, 24 * 60))
        provider, _, model = key.partition("/")
        theirs_usage = Usage(input_tokens=tokens, cache_read_tokens=cached, output_tokens=output)
        try:
            theirs = genai_prices.calc_price(theirs_usage, model, provider_id=provider, genai_request_timestamp=at)
        except LookupError:
            keys.remove(key)  # the library does not find a model by its own id
            continue
        if f"{theirs.provider.id}/{theirs.model.id}" != key:
            keys.remove(key)  # the library takes this id for another model
            continue
        usage = TokenUsage(input_tokens=tokens, cached_input_tokens=cached, output_tokens=output)
        assert catalog.quote(key, usage, at=at).cost_usd == theirs.total_price, key
        done += 1
