"""What does the bundled data of the `genai-prices` package say? Its snapshot as rows of ours, read once when seeding.

Traps handled here: its hour windows ignore the start date of the prices beside them (a window belongs to the latest
start before it in the list), its batch and tier prices start on the day somebody verified them, not the day they began
(see `batch_policies`), and only prices per token are taken.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from core.costs.conventions import midnight
from core.costs.tokens import PriceRow
from core.money import micro_usd_rounded

COMPONENT_NAMES: Mapping[str, str] = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
}
"""Its fields and our components; other fields per Mtok keep their name without the unit."""

UNIT = "_mtok"
VARIANTS: Mapping[tuple[tuple[str, str], ...], str] = {
    (("processing", "batch"),): "batch",
    (("service_tier", "flex"),): "flex",
    (("service_tier", "priority"),): "priority",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledModel:
    """One model of the bundle: what it is, how its id may be written, and its prices."""

    provider_id: str
    model_id: str
    name: str
    context_window_tokens: int | None
    is_retired: bool
    aliases: tuple[tuple[str, str], ...]
    rows: tuple[PriceRow, ...]
    modalities: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPolicy:
    """Since when a provider bills batches at a share of its standard price, for which components."""

    provider_id: str
    share: Decimal
    components: frozenset[str]
    valid_from: dt.datetime
    every_model: re.Pattern[str] | None
    source: str


def read_bundle(policies: Iterable[BatchPolicy] = ()) -> Iterator[BundledModel]:
    """Every model of the installed `genai-prices` package; the package is imported here and nowhere else."""
    from genai_prices import data_snapshot

    by_provider = {policy.provider_id: policy for policy in policies}
    source = f"genai-prices {bundle_version()}"
    for provider in data_snapshot.get_snapshot().providers:
        for model in provider.models:
            yield _model(provider.id, model, source, by_provider.get(provider.id))


def bundle_version() -> str:
    """Version of the installed package, without importing it."""
    from importlib.metadata import version

    return version("genai-prices")


def _model(provider_id: str, model: Any, source: str, policy: BatchPolicy | None) -> BundledModel:
    entries = model.prices if isinstance(model.prices, list) else [model.prices]
    rows = [row for row in _dated_rows(entries, source)]
    as_of = _verified_on(model.price_comments or "")
    for variant in model.price_variants or ():
        processing = VARIANTS.get(tuple(sorted(variant.when.items())))
        if processing:
            start = getattr(variant.constraint, "start_date", None)
            rows += _rows(variant.prices, source, processing=processing, valid_from=_midnight(start))
    if policy is not None:
        rows += _batch_before_verification(model.id, rows, policy)
    return BundledModel(
        provider_id=provider_id,
        model_id=model.id,
        name=_proper(model.name or model.id),
        context_window_tokens=model.context_window,
        is_retired=bool(model.deprecated) or (model.description or "").startswith("Retired"),
        aliases=tuple(_aliases(model.match)),
        rows=tuple(replace(row, as_of=as_of) for row in rows),
        modalities=_modalities(rows),
    )


def _dated_rows(entries: list[Any], source: str) -> Iterator[PriceRow]:
    """Rows of a list of conditional prices, each ending where the next start date begins."""
    starts = [getattr(getattr(entry, "constraint", None), "start_date", None) for entry in entries]
    since: dt.datetime | None = None
    for number, entry in enumerate(entries):
        constraint: Any = getattr(entry, "constraint", None)
        if starts[number] is not None:
            since = _midnight(starts[number])
        until = next((_midnight(start) for start in starts[number + 1 :] if start is not None), None)
        window = None
        if hasattr(constraint, "start_time"):
            window = (_minute(constraint.start_time), _minute(constraint.end_time))
        prices = entry.prices if hasattr(entry, "constraint") else entry
        yield from _rows(prices, source, valid_from=since, valid_to=until, window=window)


def _rows(prices: Any, source: str, **common: Any) -> Iterator[PriceRow]:
    for field, value in vars(prices).items():
        if value is None or not field.endswith(UNIT):
            continue
        component = COMPONENT_NAMES.get(field, field.removesuffix(UNIT))
        steps = [(0, value)] if isinstance(value, Decimal) else [(0, value.base)]
        if not isinstance(value, Decimal):
            steps += [(tier.start, tier.price) for tier in value.tiers]
        for start, price in steps:
            yield PriceRow(
                component=component,
                micro_usd_per_mtok=micro_usd_rounded(price),
                min_input_tokens=start,
                source=source,
                price_text=str(price),
                **common,
            )


def _batch_before_verification(model_id: str, rows: list[PriceRow], policy: BatchPolicy) -> list[PriceRow]:
    """Batch prices between the start of a provider's policy and the day its batch table was verified.

    Only for models whose verified batch price is that share of the standard one today, and for models that the policy
    covers by name.
    """
    batch = [row for row in rows if row.processing == "batch"]
    covered = policy.every_model is not None and policy.every_model.match(model_id) is not None
    if not batch and not covered:
        return []
    verified = min((row.valid_from for row in batch if row.valid_from), default=None)
    if batch and not _follows(rows, batch, policy):
        return []
    found = []
    for row in rows:
        if row.processing != "standard" or row.component not in policy.components:
            continue
        start = max(filter(None, (row.valid_from, policy.valid_from)))
        end = min(filter(None, (row.valid_to, verified)), default=None)
        if end is None or start < end:
            price = Decimal(row.price_text) * policy.share
            found.append(
                replace(
                    row,
                    processing="batch",
                    micro_usd_per_mtok=micro_usd_rounded(price),
                    price_text=str(price.normalize()),
                    valid_from=start,
                    valid_to=end,
                    source=policy.source,
                    note=f"{policy.share} of the standard price",
                )
            )
    return found


def _follows(rows: list[PriceRow], batch: list[PriceRow], policy: BatchPolicy) -> bool:
    standard = {
        (row.component, row.min_input_tokens): row.micro_usd_per_mtok
        for row in rows
        if row.processing == "standard" and row.valid_to is None and row.window is None
    }
    return all(
        row.micro_usd_per_mtok == standard.get((row.component, row.min_input_tokens), -1) * policy.share
        for row in batch
        if row.component in ("input", "output")
    )


def _aliases(clause: Any) -> Iterator[tuple[str, str]]:
    """(kind, pattern) of each way to write the id."""
    kinds = {
        "equals": "exact",
        "starts_with": "prefix",
        "ends_with": "suffix",
        "contains": "contains",
        "regex": "regex",
    }
    for attribute, kind in kinds.items():
        if hasattr(clause, attribute):
            yield kind, getattr(clause, attribute).lower() if kind != "regex" else clause.regex
    for part in getattr(clause, "or_", ()):
        yield from _aliases(part)
    if hasattr(clause, "and_"):
        parts = [alias for part in clause.and_ for alias in _aliases(part)]
        yield "regex", "".join(_lookahead(*part) for part in parts)


def _lookahead(kind: str, pattern: str) -> str:
    shapes = {"exact": "^(?={}$)", "prefix": "^(?={})", "suffix": "^(?=.*{}$)", "contains": "^(?=.*{})"}
    return pattern if kind == "regex" else shapes[kind].format(re.escape(pattern))


def _proper(name: str) -> str:
    """A model's name as its maker writes it: the package has some of them in small letters."""
    if name.startswith("gpt "):
        return f"GPT-{name[4:]}"
    first, _, rest = name.partition(" ")
    makers = {"gemini": "Gemini", "claude": "Claude", "deepseek": "DeepSeek", "grok": "Grok", "mistral": "Mistral"}
    return f"{makers[first]} {rest}".strip() if first in makers else name


def _verified_on(comment: str) -> dt.date | None:
    """The latest day a price comment names; the package has no date of its own per price."""
    days = re.findall(r"verified on (\d{4}-\d{2}-\d{2})", comment)
    return max(map(dt.date.fromisoformat, days), default=None)


def _modalities(rows: list[PriceRow]) -> tuple[str, ...]:
    words = {part for row in rows for part in row.component.split("_")}
    return ("text", *sorted(words & {"audio", "image", "video"}))


def _midnight(day: dt.date | None) -> dt.datetime | None:
    return None if day is None else midnight(day)


def _minute(time: dt.time) -> int:
    return time.hour * 60 + time.minute
