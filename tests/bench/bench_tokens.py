"""Is pricing fast enough: one quote, a million usages, and filling the catalog?"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.catalog import Catalog, TokenUsage, open_catalog
from core.catalog.llm_rows import price_values
from core.costs.tokens import PriceSheet
from core.costs.tokens_bulk import PriceTable, bulk_pico_usd
from tests.bench import Row, interleaved, litellm_median_s

MODELS = (
    "openai/gpt-4.1", "google/gemini-2.5-pro", "anthropic/claude-sonnet-4-5", "openai/gpt-5.5", "openai/gpt-4o-mini",
    "anthropic/claude-haiku-4-5", "x-ai/grok-4.5", "google/gemini-2.5-flash",
)  # fmt: skip
AT = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)
USAGE_ROWS = 1_000_000
QUOTES = 300
LITELLM = """
import statistics, time
from litellm import cost_per_token
times = []
for _ in range(300):
    start = time.perf_counter()
    cost_per_token(model="gpt-4.1", prompt_tokens=250_000, completion_tokens=500, cache_read_input_tokens=100_000)
    times.append(time.perf_counter() - start)
print(statistics.median(times))
"""


def rows() -> list[Row]:
    """One quote against the library, a million rows against plain numpy, seeding against its second."""
    with tempfile.TemporaryDirectory() as folder, open_catalog(f"sqlite:///{folder}/bench.db") as catalog:
        return [*_quotes(catalog), _bulk(catalog), _seeding(Path(folder), catalog)]


def _quotes(catalog: Catalog) -> list[Row]:
    import genai_prices

    ours = TokenUsage(input_tokens=250_000, cached_input_tokens=100_000, output_tokens=500)
    theirs = genai_prices.Usage(input_tokens=250_000, cache_read_tokens=100_000, output_tokens=500)
    found = []
    for model in ("openai/gpt-4.1", "google/gemini-2.5-pro"):
        provider, _, name = model.partition("/")

        def peer(provider: str = provider, name: str = name) -> None:
            genai_prices.calc_price(theirs, name, provider_id=provider, genai_request_timestamp=AT)

        def own(model: str = model) -> None:
            catalog.quote(model, ours, at=AT)

        took = interleaved({"ours": _repeated(own), "peer": _repeated(peer)})
        found.append(
            Row(
                what=f"one quote, {model}",
                ours=took["ours"] / QUOTES * 1e6,
                peer=took["peer"] / QUOTES * 1e6,
                unit="us",
                goal=0.2,
                note="peer: genai_prices.calc_price",
            )
        )
    other = litellm_median_s(LITELLM)
    if other is not None:
        note = "peer: litellm.cost_per_token"
        found.append(Row(what=found[0].what, ours=found[0].ours, peer=other * 1e6, unit="us", goal=0.2, note=note))
    return found


def _repeated(function: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(QUOTES):
            function()

    return run


def _bulk(catalog: Catalog) -> Row:
    sheets: list[PriceSheet] = [catalog.llm.sheet(model) for model in MODELS]
    table = PriceTable.of([(sheet, AT, "standard") for sheet in sheets])
    rng = np.random.default_rng(1)
    place = rng.integers(0, len(MODELS), USAGE_ROWS)
    tokens = rng.integers(1, 300_000, USAGE_ROWS)
    cached = (tokens * rng.random(USAGE_ROWS) / 2).astype(np.int64)
    output = rng.integers(1, 4_000, USAGE_ROWS)
    input_price, output_price = np.array([1e-6, 3e-6] * 4), np.array([4e-6, 9e-6] * 4)
    plain_input, plain_output = tokens.astype(np.float64), output.astype(np.float64)

    def own() -> object:
        return bulk_pico_usd(table, place, input_tokens=tokens, cached_input_tokens=cached, output_tokens=output)

    def peer() -> object:
        return input_price.take(place) * plain_input + output_price.take(place) * plain_output

    took = interleaved({"ours": own, "peer": peer})
    return Row(
        what="1M usage rows with tiers and cache",
        ours=took["ours"] * 1e3,
        peer=took["peer"] * 1e3,
        unit="ms",
        goal=3.0,
        note="peer: float64 take and multiply of input and output, no tiers, no cache",
    )


def _seeding(folder: Path, catalog: Catalog) -> Row:
    """The step that stores price rows: the tables of a fresh database filled with the catalog's own rows."""
    from sqlalchemy import insert

    from core.catalog.database import open_engine, session
    from core.catalog.llm_tables import LLM_TABLES, LlmPriceRow
    from core.catalog.writing import create_tables

    priced = [(s.provider_id, s.model_id, row) for s in catalog.llm.sheets().values() for row in s.rows]
    seconds = []
    for number in range(3):
        engine = open_engine(f"sqlite:///{folder}/seed{number}.db")
        create_tables(engine, LLM_TABLES)
        start = time.perf_counter()
        now = dt.datetime.now(dt.UTC)
        with session(engine) as opened:
            opened.execute(insert(LlmPriceRow), [price_values(*one, now) for one in priced])
        seconds.append(time.perf_counter() - start)
        engine.dispose()
        os.remove(f"{folder}/seed{number}.db")
    return Row(
        what=f"seeding {len(priced):,} price rows", ours=sorted(seconds)[1], peer=1.0, unit="s", goal=1.0,
        note="peer: the goal of one second",
    )  # fmt: skip
