"""Who says otherwise? Prices of other layers and sources that differ from the one that bills."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.costs.tokens_prices import CACHE_READ, INPUT, OUTPUT, PriceRow, PriceSheet, as_utc, find_row

WORTH_SHOWING_SHARE = 0.05
"""Sources that differ by more than this are shown beside each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A price that bills and one that another source gives for the same component and prompt length now."""

    used: PriceRow
    rival: PriceRow

    @property
    def share(self) -> float:
        """How far the rival lies above (or, negative, below) the price that bills; infinite above a free one."""
        if self.used.micro_usd_per_mtok == 0:
            return float("inf")
        return self.rival.micro_usd_per_mtok / self.used.micro_usd_per_mtok - 1


def disagreements(sheet: PriceSheet, at: dt.datetime | None = None) -> tuple[Disagreement, ...]:
    """Standard prices of the model at a moment (UTC; None is now) that a source puts `WORTH_SHOWING_SHARE` away.

    Prices of special hours and the user's own are left out, for they differ on purpose, and so are the article's
    figures, which contradict each other.
    """
    moment = as_utc(at)
    found = []
    for rival in (*sheet.rows, *sheet.shown_rows):
        is_comparable = (
            rival.component in (INPUT, CACHE_READ, OUTPUT)
            and rival.processing == "standard"
            and rival.layer not in ("user", "article")
            and not rival.is_special
            and rival.holds_at(moment)
        )
        if not is_comparable:
            continue
        length = rival.min_input_tokens + (rival.threshold_op == ">") if rival.min_input_tokens else 1
        used = _listed(sheet, rival.component, moment, length)
        if used is None or used.layer == rival.layer or used.is_special:
            continue
        one = Disagreement(used=used, rival=rival)
        if abs(one.share) > WORTH_SHOWING_SHARE:
            found.append(one)
    return tuple(found)


def _listed(sheet: PriceSheet, component: str, at: dt.datetime, input_tokens: int) -> PriceRow | None:
    """The all-day price that bills, the user's own left aside."""
    rows = sheet.eras.get((component, "standard"))
    if rows is None:
        return find_row(sheet, component, "standard", at, input_tokens)
    return next(
        (row for row in rows.at(at) if row.layer != "user" and not row.is_special and row.reaches(input_tokens)), None
    )
