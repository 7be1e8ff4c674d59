"""What will my workload cost, what is the cheapest way to serve it, and how sure is that?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence, Set
from typing import Any

import streamlit as st

from core.catalog.aliases import CHAT_MAKERS
from core.costs.monthly import MixWay, ModelWay, Way, WayKind
from core.costs.tokens_history import PriceChange, price_changes
from core.money import usd_from_micro
from pages.parts import address, charts, planning, state, tables, ways, widgets
from pages.parts.overview_plan import Overview, make_overview, own_api
from pages.parts.plan_cards import budget_card, month_value, season_text
from pages.parts.shell import page_of
from pages.parts.state import catalog, fmt, tr
from pages.parts.workload_bar import workload_bar

NEWS_DAYS = 120
LABEL_PX = 60
NEWS_ROWS = 40
SINCE = "ov_since"
DOORS = {
    "gpu_clouds": "memory", "model_prices": "sell", "monthly_cost": "calendar_month", "self_host": "balance",
    "roi": "trending_up", "playground": "chat", "usage": "receipt_long", "connections": "cable",
}  # fmt: skip
"""The other pages, each with its icon."""


@state.block
def page() -> None:
    problems = planning.take()
    since = state.today() - dt.timedelta(days=NEWS_DAYS)
    found, more = address.bind([address.Field(key=SINCE, kind="date", default=since)])
    workload = workload_bar()
    st.title(tr("overview.title"))
    widgets.show_problems([*problems, *more], planning.labels() | {SINCE: tr("overview.since")})
    overview = make_overview(workload)
    with widgets.cards(4 if workload.budget_usd_per_month is None else 5):
        answer(overview)
    compared(overview)
    chart(overview)
    for sentence in (*overview.refused, *planning.announced(overview.ways, planning.start())):
        st.caption(widgets.plain(sentence))
    doors()
    news(found[SINCE] or since)
    widgets.show_sources(planning.sources(overview.ways, planning.start()), state.today())


def answer(overview: Overview) -> None:
    """The cheapest of each kind, what the best saves against today's way, and how likely it exceeds the budget."""
    kinds: tuple[WayKind, ...] = ("call", "gateway", "rent")
    for kind in kinds:
        way = overview.simulation.cheapest_of(kind)
        value, when = month_value(way, overview.simulation) if way else ("–", "")
        widgets.card(
            called(overview.ways) if kind == "call" else tr(f"overview.metric_{kind}"), value,
            " · ".join(filter(None, (way.name, when))) if way else tr("overview.none"),
            explained=tr(f"overview.metric_{kind}_help"),
        )  # fmt: skip
    best, baseline = overview.simulation.cheapest, overview.baseline
    months = widgets.months_text(len(overview.simulation.starts))
    if best and baseline and best.total_usd is not None and baseline.total_usd:
        saving = baseline.total_usd - best.total_usd
        widgets.card(
            tr("overview.metric_saving", months=months), fmt().money_short(saving),
            tr("overview.against", name=baseline.name), explained=tr("overview.metric_saving_help"),
        )  # fmt: skip
    if best:
        budget_card(overview.simulation, best)


def called(found: Sequence[Way]) -> str:
    """What the card of the cheapest API chooses from: a number of models, and with them a mix."""
    count = sum(isinstance(way, ModelWay) and way.kind == "call" for way in found)
    has_mix = any(isinstance(way, MixWay) and way.kind == "call" for way in found)
    if has_mix:
        return tr("overview.metric_call_mix" if count else "overview.metric_call_mix_only")
    return tr("overview.metric_call_one" if count == 1 else "overview.metric_call", count=count)


def compared(overview: Overview) -> None:
    """Where the models compared are changed, and what the own fleet's model costs from an API."""
    with st.container(horizontal=True, vertical_alignment="center", key="ov_compared"):
        editor = st.popover(tr("monthly_cost.ways"), icon=":material/checklist:", on_change="rerun", key="ov_ways")
        if editor.open:
            with editor:
                ways.editor()
        api = own_api(overview.simulation)
        if api:
            when = season_text(overview.simulation)
            price = f"{fmt().money_short(api[1])} {f'({when})' if when else tr('common.per_month')}"
            sentence = tr(
                "overview.own_api", model=widgets.plain(ways.label_of(api[0])), price=price.replace("$", r"\$")
            )
            st.caption(sentence, width="stretch")


def chart(overview: Overview) -> None:
    """Every way's total with its band, the cheapest on top."""
    show, months = fmt(), widgets.months_text(len(overview.simulation.starts))
    known = [way for way in overview.simulation.ways if way.total_usd is not None and way.total_band is not None]
    known.sort(key=lambda way: -(way.total_usd or 0.0))
    if not known:
        widgets.show_empty(tr("overview.empty_title"), tr("overview.empty_body"))
        return
    values = [(way.total_usd or 0.0) * show.per_usd for way in known]
    bands = [way.total_band for way in known if way.total_band is not None]
    high_ends = [float(band.p90) * show.per_usd for band in bands]
    low_ends = [float(band.p10) * show.per_usd for band in bands]
    names = [way.name for way in known]
    bars = {
        "type": "bar", "y": names, "x": values, "orientation": "h",
        "marker": {"color": [charts.colour(way.kind) for way in known]},
        "error_x": {
            "type": "data", "symmetric": False, "thickness": 1.5, "color": charts.palette()[9],
            "array": [high - value for high, value in zip(high_ends, values, strict=True)],
            "arrayminus": [value - low for low, value in zip(low_ends, values, strict=True)],
        },
    }  # fmt: skip
    labels = {
        "y": names, "x": high_ends, "mode": "text", "textposition": "middle right", "cliponaxis": False,
        "text": [f"  {show.money_short(way.total_usd)}" for way in known], "hoverinfo": "skip",
    }  # fmt: skip
    layout = {
        "margin": {"l": 8, "r": LABEL_PX, "t": 8, "b": 8},
        "xaxis": {"range": [0, max(high_ends) * 1.02]} | charts.ticks(high_ends),
    }  # fmt: skip
    fig = charts.figure([bars, labels], layout, height_px=90 + 44 * len(known))
    best = known[-1]
    title = tr("overview.chart_title", name=best.name, months=months, total=show.money_short(best.total_usd))
    low, high = (show.money_short(float(value)) for value in (bands[-1].p10, bands[-1].p90))
    charts.show(
        fig, title=title, key="ov_chart",
        unit=tr("overview.chart_unit", symbol=show.symbol, months=months, low=low, high=high),
    )  # fmt: skip


def doors() -> None:
    """The other pages, each with the question it answers; the workload goes along."""
    st.header(tr("overview.doors"))
    with widgets.cards():
        for name, icon in DOORS.items():
            with st.container(border=True, height="stretch"):
                st.page_link(page_of(name), label=f"**{tr(f'shell.page_{name}')}**", icon=f":material/{icon}:")
                st.caption(tr(f"shell.help_{name}"))


def news(since: dt.date) -> None:
    """List prices that changed since a day the reader chooses, and those announced."""
    st.header(tr("overview.news"))
    st.date_input(tr("overview.since"), key=SINCE, width=240, max_value=state.today(), help=tr("overview.since_help"))
    today, mine = state.today(), ways.sheets_of(ways.current()[0])
    compared = {sheet.key for sheet in mine}
    makers = [sheet for sheet in catalog().llm.sheets().values() if sheet.provider_id in CHAT_MAKERS]
    found = {(one.day, one.model, one.component): one for one in price_changes([*makers, *mine], since)}.values()
    # The latest first among each: models compared, prices in force, announced ones.
    changes = sorted(found, key=lambda one: (one.model not in compared, one.day > today))[:NEWS_ROWS]
    if not changes:
        st.caption(tr("overview.no_news"))
        return
    tables.table(_news_rows(changes, compared), _news_columns(), key="ov_news", alt=tr("overview.news"), height=260)


def _news_columns() -> list[tables.Column]:
    return [
        tables.Column(field="day", label=tr("overview.col_day"), kind="date"),
        tables.Column(field="note", label=tr("overview.col_note")),
        tables.Column(field="model", label=tr("overview.col_model"), width="medium"),
        tables.Column(field="component", label=tr("overview.col_component")),
        tables.Column(field="before", label=tr("overview.col_before"), kind="money", unit="/Mtok", digits=3),
        tables.Column(field="after", label=tr("overview.col_after"), kind="money", unit="/Mtok", digits=3),
        tables.Column(field="change", label=tr("overview.col_change"), kind="share"),
        tables.Column(field="source", label=tr("overview.col_source")),
    ]


def _news_rows(changes: Sequence[PriceChange], compared: Set[str]) -> list[dict[str, Any]]:
    today = state.today()
    return [
        {
            "day": one.day,
            "note": ", ".join(
                tr(f"overview.note_{name}")
                for name, holds in {"compared": one.model in compared, "announced": one.day > today}.items()
                if holds
            ),
            "model": one.model,
            "component": tr(f"overview.component_{one.component}"),
            "before": float(usd_from_micro(one.before_micro)),
            "after": float(usd_from_micro(one.after_micro)),
            "change": one.change_share,
            "source": one.source,
        }
        for one in changes
    ]


page()
