"""Small pieces of a page that say one thing the same way everywhere: problems, badges, empty states, sources."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.costs.gpus import STALE_AFTER_DAYS
from core.workload import Problem
from pages.parts.state import fmt, tr

FRESH_DAYS = 30
CARD_MIN_WIDTH_PX = 150


def problem_text(problem: Problem, label: str | None = None) -> str:
    """What was wrong with an input, what is used and what to enter, in the reader's language and way of writing.

    `label` is the field's name there.
    """
    key = f"common.problem_{problem.kind}" + ("" if problem.used or problem.kind == "left_out" else "_none")
    given, used = (_written(text, is_share=problem.is_share) for text in (problem.given, problem.used))
    sentence = tr(key, field=label or problem.field, given=given, used=used)
    if problem.low is None or problem.high is None:
        return sentence
    low, high = (_written(str(limit), is_share=problem.is_share) for limit in (problem.low, problem.high))
    whole = "_whole" if problem.kind == "not_whole" else ""
    return f"{sentence} {tr(f'common.problem_limits{whole}', low=low, high=high)}"


def _written(text: str, *, is_share: bool) -> str:
    """A number or a date as the reader writes it, with every digit it has; anything else as it stands."""
    try:
        value = float(text) * (100 if is_share else 1)
    except ValueError:
        try:
            return fmt().date(dt.date.fromisoformat(text))
        except ValueError:
            return text
    if not math.isfinite(value):
        return text
    return exact(value) + ("%" if is_share else "")


def exact(value: float) -> str:
    """A finite number with every digit it has, up to twelve."""
    exponent = Decimal(f"{value:.12g}").normalize().as_tuple().exponent
    return fmt().number(value, max(0, -exponent) if isinstance(exponent, int) else 0)


def rate_text() -> str:
    """Won per dollar as it is used."""
    return exact(fmt().krw_per_usd)


def show_problems(problems: Sequence[Problem], labels: Mapping[str, str] | None = None) -> None:
    """The corrections of this run in one quiet box, nothing when there are none; `labels` names the fields."""
    if problems:
        texts = [plain(problem_text(one, (labels or {}).get(one.field))) for one in problems]
        st.warning("\n\n".join(texts), icon=":material/info:")


def plain(text: str) -> str:
    """Text from an address shown as text: no Markdown, links, colours or icons."""
    return "".join(f"\\{char}" if char in r"\`*_{}[]()<>#+!|~:$" else char for char in text)


def share_text(share: float | None) -> str:
    """A share in whole percent, never rounded to none or to all of it."""
    show = fmt()
    if share is not None and 0 < share < 0.005:
        return f"<{show.percent(0.01)}"
    if share is not None and 0.995 <= share < 1:
        return f">{show.percent(0.99)}"
    return show.percent(share)


def on_off(value: bool) -> str:
    """A switch in words."""
    return tr("common.on" if value else "common.off")


def months_text(count: int) -> str:
    """A number of whole months, such as a horizon."""
    return tr("common.month_one") if count == 1 else tr("common.months", count=fmt().number(count))


def processing_text(name: str) -> str:
    """The name of a processing (standard, batch, flex, priority) in the reader's language."""
    return tr(f"common.processing_{name}")


def cards(count: int = 4) -> DeltaGenerator:
    """Cells of equal width: all in a row on a desk, two on a phone."""
    return st.grid(count, min_column_width=CARD_MIN_WIDTH_PX)


def card(
    label: str, value: str, note: str | None = None, *, explained: str | None = None, is_good: bool = False
) -> None:
    """One figure of the answer with what it is about; `explained` is one click away, `is_good` makes the note green."""
    st.metric(
        label, value, note, delta_color="green" if is_good else "off", delta_arrow="off", border=True,
        height="stretch", help=explained,
    )  # fmt: skip


def show_empty(title: str, body: str) -> None:
    """The state of a page or table that has nothing to show: what that means and what to do."""
    st.info(f"**{title}**  \n{body}", icon=":material/search_off:")


Age = Literal["fresh", "aging", "stale", "undated"]


def age_of(as_of: dt.date | None, today: dt.date) -> Age:
    """How old a price is: fresh up to `FRESH_DAYS`, aging up to `STALE_AFTER_DAYS`, stale beyond, or undated."""
    if as_of is None:
        return "undated"
    days = (today - as_of).days
    return "fresh" if days <= FRESH_DAYS else "aging" if days <= STALE_AFTER_DAYS else "stale"


def age_text(as_of: dt.date | None, today: dt.date) -> str:
    """The age of a price in words, such as `12 days` or `undated`."""
    return tr("common.undated") if as_of is None else tr("common.days_old", days=fmt().number((today - as_of).days))


def age_badge(as_of: dt.date | None, today: dt.date) -> str:
    """Markdown badge of a price's age: quiet, grey or amber."""
    colour = {"fresh": "green", "aging": "gray", "stale": "orange", "undated": "orange"}[age_of(as_of, today)]
    return f":{colour}-badge[{age_text(as_of, today)}]"


def show_sources(sources: Sequence[tuple[str, dt.date | None]], today: dt.date) -> None:
    """The line under a page's figures: see `sources_line`."""
    st.caption(sources_line(sources, today))


def sources_line(sources: Sequence[tuple[str, dt.date | None]], today: dt.date) -> str:
    """How many sources the figures have, how old the oldest price is (amber as in `age_badge`), and the exchange rate.

    A price without a date may be older than the oldest dated one, so the line says that there is one.
    """
    first = min((day for _, day in sources if day is not None), default=None)
    oldest = age_text(first, today)
    if age_of(first, today) in {"stale", "undated"}:
        oldest = f":orange-badge[{oldest}]"
    if first is not None and any(day is None for _, day in sources):
        oldest += f", :orange-badge[{tr('common.some_undated')}]"
    shown = fmt()
    rate_date = shown.date(shown.fx_date) if shown.fx_date else tr("common.fx_own")
    return tr(
        "common.sources_line",
        count=len({name for name, _ in sources}),
        oldest=oldest,
        rate=rate_text(),
        rate_date=rate_date,
    )
