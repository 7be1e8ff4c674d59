"""What would a feed change in the model prices, and may it? Pure rules between what is held and what a feed says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.catalog.aliases import MAKERS, AliasIndex, UnknownModelError
from core.catalog.feed_rules import is_large_move, refusal
from core.catalog.feeds.parsed import FedModel, ParsedModels
from core.costs.tokens import COMPONENTS, PriceRow, PriceSheet, find_row
from core.i18n import Said
from core.money import MICRO

NOISE_SHARE = 0.005
"""A difference below this is the noise of a division per token, not a new price: no seller ever moved by so little."""

NEW_OF = frozenset(MAKERS) - {"perplexity"}
"""Sellers whose unknown ids are new models; of Perplexity the table lists what was withdrawn years ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldModel:
    """A model whose prices are not taken, why, and what exactly: the price, for a move both amounts, or the day."""

    key: str
    reason: Literal["move", "incomplete", "hours", "older"]
    price: PriceRow | None = None
    now_micro_usd_per_mtok: int | None = None
    since: dt.date | None = None

    @property
    def detail(self) -> str:
        """What exactly, for commands."""
        one = self.price
        if one is None:
            return str(self.since or "")
        if self.reason == "hours":
            return one.component
        text = f"{one.processing} {one.component}"
        if self.now_micro_usd_per_mtok is not None:
            return f"{text} {self.now_micro_usd_per_mtok / MICRO:g} -> {one.micro_usd_per_mtok / MICRO:g}"
        return f"{text} > {one.min_input_tokens}" if one.min_input_tokens else text


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmDiff:
    """What a feed would change. `refused_because` refuses it whole."""

    parsed: ParsedModels
    taken: Sequence[FedModel]
    new: frozenset[str]
    changed: frozenset[str]
    held: Sequence[HeldModel]
    refused_because: Said | None = None


def compare(
    sheets: Mapping[str, PriceSheet],
    index: AliasIndex,
    parsed: ParsedModels,
    *,
    held_date: dt.date | None = None,
    held_rows: int = 0,
) -> LlmDiff:
    """The difference between the prices that hold and what the feed says; the user's own prices play no part.

    `held_date` and `held_rows` are those of the source's last refresh.
    """
    at = dt.datetime.combine(parsed.source_date, dt.time(23, 59), dt.UTC)
    taken, new, changed, held = [], set(), set(), []
    for one in parsed.models:
        sheet = sheets.get(one.key)
        if sheet is None:
            if _is_new(one, index):
                taken.append(one)
                new.add(one.key)
            continue
        problem = _problem(sheet, one, at, parsed.source_date)
        if problem is not None:
            held.append(problem)
            continue
        found = _without_noise(sheet, one, at)
        taken.append(found)
        if any(_differs(sheet, row, at) for row in found.rows):
            changed.add(one.key)
    rows = sum(len(one.rows) for one in taken)
    return LlmDiff(
        parsed=parsed,
        taken=taken,
        new=frozenset(new),
        changed=frozenset(changed),
        held=held,
        refused_because=refusal(
            "prices", found=rows, known=held_rows, feed_date=parsed.source_date, held_date=held_date
        ),
    )


def _is_new(one: FedModel, index: AliasIndex) -> bool:
    """Whether a maker sells it and no name of ours means it: a dated id is another name, not another model."""
    if one.provider_id not in NEW_OF or "/" in one.model_id or ":" in one.model_id:
        return False
    try:
        index.resolve(one.key)
    except UnknownModelError:
        return True
    return False


def listed(sheet: PriceSheet, row: PriceRow, at: dt.datetime) -> PriceRow | None:
    """The price that now bills what this row prices."""
    return find_row(sheet, row.component, row.processing, at, row.min_input_tokens + bool(row.min_input_tokens))


def _differs(sheet: PriceSheet, row: PriceRow, at: dt.datetime) -> bool:
    now = listed(sheet, row, at)
    return now is None or now.micro_usd_per_mtok != row.micro_usd_per_mtok


def _problem(sheet: PriceSheet, one: FedModel, at: dt.datetime, day: dt.date) -> HeldModel | None:
    stated = {(row.component, row.processing, row.min_input_tokens) for row in one.rows}
    processings = {processing for _, processing, _ in stated}
    for row in sheet.rows:
        if row.processing not in processings or row.component not in COMPONENTS:
            continue
        # Otherwise a price of the feed's day would go on over one that began or was checked since.
        if row.valid_from is not None and row.valid_from > at:
            return HeldModel(key=one.key, reason="older", since=row.valid_from.date())
        if not row.holds_at(at):
            continue
        if row.as_of is not None and row.as_of > day:
            return HeldModel(key=one.key, reason="older", since=row.as_of)
        if row.is_special:
            return HeldModel(key=one.key, reason="hours", price=row)
        if (row.component, row.processing, row.min_input_tokens) not in stated and listed(sheet, row, at) is row:
            return HeldModel(key=one.key, reason="incomplete", price=row)
    for row in one.rows:
        now = listed(sheet, row, at)
        if now is not None and now.micro_usd_per_mtok and is_large_move(now.micro_usd_per_mtok, row.micro_usd_per_mtok):
            return HeldModel(key=one.key, reason="move", price=row, now_micro_usd_per_mtok=now.micro_usd_per_mtok)
    return None


def _without_noise(sheet: PriceSheet, one: FedModel, at: dt.datetime) -> FedModel:
    rows = []
    for row in one.rows:
        now = listed(sheet, row, at)
        if now is not None and now.min_input_tokens == row.min_input_tokens:
            # The feed knows tiers only as "above"; some sellers count the threshold itself in.
            row = replace(row, threshold_op=now.threshold_op)
        if (
            now is not None
            and now.micro_usd_per_mtok
            and abs(row.micro_usd_per_mtok / now.micro_usd_per_mtok - 1) <= NOISE_SHARE
        ):
            row = replace(row, micro_usd_per_mtok=now.micro_usd_per_mtok)
        rows.append(row)
    return replace(one, rows=tuple(rows))
