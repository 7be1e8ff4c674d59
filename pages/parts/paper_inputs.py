"""Which inputs and prices does a printed report state, so that its figures can be worked out again?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from core.costs.monthly import FleetWay, Outlook, Way
from core.costs.monthly_outlook import LIMITS
from core.costs.monthly_reasons import why
from core.costs.monthly_ways import LIST_TERMS
from core.workload import LIMITS as WORKLOAD_LIMITS
from core.workload import Workload
from pages.parts import monthly_tables, widgets
from pages.parts.state import fmt, tr

ALWAYS_SAID = frozenset({"requests_per_month", "input_tokens", "output_tokens", "horizon_months"})


def outlook_text(outlook: Outlook) -> str:
    """What is assumed about the months ahead, each in the unit of its field."""
    return " · ".join(
        f"{tr(f'monthly_cost.field_{name}')}: {fmt().number(getattr(outlook, name) * 100, 1)}" for name in LIMITS
    )


def workload_text(workload: Workload) -> str:
    """Volume, lengths and horizon, and every other input of a workload that is not its default, with all digits."""
    plain = Workload()
    found = []
    for name, limit in WORKLOAD_LIMITS.items():
        value = getattr(workload, name)
        if value is not None and (name in ALWAYS_SAID or value != getattr(plain, name)):
            shown = widgets.exact(value * (100 if limit.is_share else 1))
            found.append(f"{tr(f'workload.field_{name}')}: {shown}")
    return " · ".join(found)


def terms_texts(found: Sequence[Way]) -> list[str]:
    """What is added to or taken from list prices on each way that has such terms, and the shares of a mix."""
    lines = []
    for way in found:
        if isinstance(way, FleetWay):
            continue
        parts = [f"{part.model.name}: {fmt().percent(part.share, 1)}" for part in getattr(way, "parts", ())]
        if way.terms != LIST_TERMS:
            terms = {
                "fee": way.terms.fee_usd_per_month, "fee_share": way.terms.fee_share * 100,
                "discount": way.terms.discount_share * 100, "vat": way.terms.vat_share * 100,
            }  # fmt: skip
            parts += [f"{tr(f'monthly_cost.{name}')}: {widgets.exact(value)}" for name, value in terms.items()]
        if parts:
            lines.append(f"{way.name}: {' · '.join(parts)}")
    return lines


def rate_text() -> str:
    """The exchange rate with its date."""
    show = fmt()
    dated = show.date(show.fx_date) if show.fx_date else tr("common.fx_own")
    return f"1 USD = {widgets.rate_text()} KRW ({dated})"


def price_lines(
    workload: Workload, ways: Sequence[Way], *, start: dt.date, outlook: Outlook, today: dt.date
) -> list[str]:
    """Every price of the first month with its source, date and age."""
    found = []
    for way in ways:
        if isinstance(way, FleetWay):
            found += [f"{way.name}: {source}, {_dated(day, today)}" for source, day in way.sources]
            continue
        for one in why(workload, way, 0, start=start, outlook=outlook).reasons:
            part = tr(f"monthly_cost.component_{one.component}")
            how = monthly_tables.processing_text(one)
            price = fmt().money(one.usd_per_mtok)
            found.append(f"{one.model} ({how}), {part}: {price}/Mtok, {one.source}, {_dated(one.as_of, today)}")
    return list(dict.fromkeys(found))


def _dated(day: dt.date | None, today: dt.date) -> str:
    """A day and how long ago it was."""
    return f"{day:%Y-%m-%d} ({widgets.age_text(day, today)})" if day else tr("common.undated")
