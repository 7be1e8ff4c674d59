"""What does litellm's public price table say today? One JSON object of entries as prices of ours, and what was refused.

Traps handled here: prices are USD per *token* with exponents and the noise of a division; a 0 is a retired or unknown
price, never a free one; retired models keep a price until somebody deletes them; the key's prefix names who resells;
the table has no date of its own and no history.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from core.catalog.feeds.parsed import FedModel, FeedError, ParsedModels, decoded
from core.catalog.rows import RefusedRow
from core.costs.tokens import PriceRow
from core.i18n import said
from core.money import TOKENS_PER_MTOK, micro_usd_rounded

SOURCE = "litellm price table"
FILE = "model_prices_and_context_window.json"
URL = f"https://raw.githubusercontent.com/BerriAI/litellm/main/{FILE}"
MODES = frozenset({"chat", "responses", "completion", "embedding"})
PROVIDERS: Mapping[str, str] = {
    "anthropic": "anthropic", "bedrock": "aws", "bedrock_converse": "aws", "cerebras": "cerebras", "cohere": "cohere",
    "cohere_chat": "cohere", "deepseek": "deepseek", "gemini": "google", "groq": "groq", "minimax": "minimax",
    "mistral": "mistral", "moonshot": "moonshotai", "novita": "novita", "openai": "openai", "perplexity": "perplexity",
    "together_ai": "together", "voyage": "voyageai", "xai": "x-ai", "zai": "zai",
}  # fmt: skip
"""Its names of sellers and ours; the others resell under ids that mean no model here."""

FIELD = re.compile(
    r"(?P<what>input_cost_per_token|output_cost_per_token|cache_read_input_token_cost|cache_creation_input_token_cost)"
    r"(?P<hour>_above_1hr)?(?:_above_(?P<tier>\d+)k_tokens)?(?:_(?P<processing>batches|flex|priority))?"
)
WHAT = {
    "input_cost_per_token": "input", "output_cost_per_token": "output", "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
}  # fmt: skip
HIGHEST_USD_PER_MTOK = 2_000
"""The dearest list price ever was 600 USD per Mtok (o1-pro's output); beyond this a unit was mistaken."""


def parse(content: bytes, seen_on: dt.date) -> ParsedModels:
    """The token-priced entries of sellers known here; FeedError for a file of another shape.

    `seen_on` is the day the file was downloaded: the table itself bears no date.
    """
    found = ParsedModels(source=SOURCE, source_date=seen_on)
    known: set[str] = set()
    for number, (name, entry) in enumerate(_entries(content).items(), start=1):
        try:
            model = _model(name, entry, seen_on)
            if model is not None and model.key in known:
                raise ValueError("a second entry for the same model")
        except ValueError as error:
            found.refused.append(RefusedRow(file=FILE, row=number, reason=f"{name}: {error}"))
            continue
        if model is not None:
            known.add(model.key)
            found.models.append(model)
    return found


def _entries(content: bytes) -> dict[str, Any]:
    try:
        table = json.loads(decoded(content), parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    except (json.JSONDecodeError, RecursionError) as error:
        raise FeedError(said("catalog.feed_not_json")) from error
    if isinstance(table, list):
        raise FeedError(said("catalog.feed_is_list", source="litellm"))
    if not isinstance(table, dict) or not any(
        isinstance(entry, dict) and "litellm_provider" in entry for entry in table.values()
    ):
        raise FeedError(said("catalog.feed_no_entry", source="litellm", field="litellm_provider", file=FILE))
    return table


def _no_number(text: str) -> Any:
    raise FeedError(said("catalog.feed_no_price", given=text))


def _model(name: str, entry: Any, seen_on: dt.date) -> FedModel | None:
    """The entry as a model; None when it is of another kind or seller; ValueError when its prices cannot be used."""
    if not isinstance(entry, dict):
        raise ValueError("is no object")
    seller = entry.get("litellm_provider")
    provider_id = PROVIDERS.get(seller) if isinstance(seller, str) else None
    if name == "sample_spec" or provider_id is None or entry.get("mode") not in MODES:
        return None
    prefix, slash, rest = name.partition("/")
    model_id = rest if slash and prefix in (seller, provider_id) else name
    retired_on = _day(entry.get("deprecation_date"))
    if retired_on is not None and retired_on <= seen_on:
        raise ValueError(f"retired on {retired_on}; its last price stays")
    if entry.get("tiered_pricing"):
        raise ValueError("has prices by range, which are not read")
    rows = tuple(_rows(entry, seen_on))
    stated = {row.component for row in rows if row.processing == "standard"}
    if "input" not in stated or (entry["mode"] != "embedding" and "output" not in stated):
        raise ValueError("has no price above 0 for input and output, and does not say that it is free")
    return FedModel(
        provider_id=provider_id, model_id=model_id, context_window_tokens=_window(entry), rows=_without_odd(rows)
    )


def _rows(entry: Mapping[str, Any], seen_on: dt.date) -> Iterator[PriceRow]:
    for name, value in entry.items():
        match = FIELD.fullmatch(name)
        if match is None or value is None:
            continue
        if not isinstance(value, Decimal):
            raise ValueError(f"{name} is {str(value)[:40]!r}, no number")
        component = WHAT[match["what"]]
        if match["hour"]:
            component = "cache_write_1h"
        usd_per_mtok = value * TOKENS_PER_MTOK
        if not 0 <= usd_per_mtok <= HIGHEST_USD_PER_MTOK:
            raise ValueError(f"{name} is {value} USD per token, outside 0 to {HIGHEST_USD_PER_MTOK} USD per Mtok")
        micro = micro_usd_rounded(usd_per_mtok)
        if micro == 0:
            continue  # no price: it does not say that it is free
        yield PriceRow(
            component=component,
            processing={"batches": "batch", "flex": "flex", "priority": "priority"}.get(
                match["processing"], "standard"
            ),
            micro_usd_per_mtok=micro,
            min_input_tokens=int(match["tier"] or 0) * 1000,
            layer="feed",
            source=SOURCE,
            as_of=seen_on,
            price_text=f"{value} per token",
        )


def _without_odd(rows: tuple[PriceRow, ...]) -> tuple[PriceRow, ...]:
    """Without cache reads dearer than input, and without prices of a processing that lacks input or output."""
    inputs = {
        (one.processing, one.min_input_tokens): one.micro_usd_per_mtok for one in rows if one.component == "input"
    }
    whole = {"standard"} | {
        processing
        for processing, _ in inputs
        if any(one.processing == processing and one.component == "output" for one in rows)
    }
    return tuple(
        one
        for one in rows
        if one.processing in whole
        and (one.processing, one.min_input_tokens) in inputs
        and (one.component != "cache_read" or one.micro_usd_per_mtok <= inputs[one.processing, one.min_input_tokens])
    )


def _day(text: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _window(entry: Mapping[str, Any]) -> int | None:
    given = entry.get("max_input_tokens")
    return int(given) if isinstance(given, Decimal) and 0 < given < 10**9 else None
