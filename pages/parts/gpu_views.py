"""How do the offers look? Price by provider, price against speed, sources that disagree, the article's table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import streamlit as st

from core.catalog.gpu_article import ArticleGpuRow
from core.costs.gpu_ranking import Rated, disagreements
from core.costs.gpus import GpuOffer, GpuSpec, spec_for
from core.costs.model_shapes import model_shapes
from core.costs.selfhost_terms import SpotAloneError
from pages.parts import charts, fleet, fleet_inputs, per_token, tables, widgets
from pages.parts.gpu_facts import fact, machine_type
from pages.parts.gpu_rows import purchase
from pages.parts.offer_words import Providers, gpu_text, provider_name
from pages.parts.shell import page_of
from pages.parts.state import fmt, tr, workload

PROVIDERS_SHOWN = 14
TOKEN_ROWS = 100
ROW_PX, MARGIN_PX = 26, 70
# The longest bar ends here, so that its label fits beside it on a phone.
LABEL_ROOM = 1.6


def by_provider(rated: Sequence[Rated], providers: Providers, measure: str) -> None:
    """Each provider's first offer that may rank, as bars from 0: dated ones first, undated ones paler below."""
    best: dict[str, Rated] = {}
    for one in rated:
        if one.ranks:
            best.setdefault(one.offer.provider_id, one)
    shown = list(best.values())[:PROVIDERS_SHOWN]
    if not shown:
        return
    undated = [one.offer.as_of is None for one in shown]
    names = [provider_name(providers, one.offer.provider_id) for one in shown]
    factor = 1.0 if measure in {"gpu_hour", "instance_hour"} else 1_000.0
    amounts = [fmt().convert((one.value or 0) * factor) or 0 for one in shown]
    prices = [fmt().money((one.value or 0) * factor) for one in shown]
    texts = [
        f"{price} · {tr('common.undated')}" if flag else price for price, flag in zip(prices, undated, strict=True)
    ]
    full = charts.colour("rent")
    bars = {
        "type": "bar", "x": amounts, "y": names, "orientation": "h", "text": texts, "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": [charts.see_through(full, 0.45) if flag else full for flag in undated]},
        "hovertext": [f"{gpu_text(one.offer)} · {machine_type(one.offer)}" for one in shown], "hoverinfo": "text+y",
    }  # fmt: skip
    axes = {
        "yaxis": {"autorange": "reversed"},
        "xaxis": {"range": [0, max(amounts) * LABEL_ROOM]} | charts.ticks(amounts),
    }
    fig = charts.figure([bars], axes, height_px=MARGIN_PX + ROW_PX * len(shown))
    title = _takeaway(names, prices, amounts, undated)
    unit = tr("gpu_clouds.chart_unit", unit=unit_name(measure))
    columns = [
        tables.Column(field="provider", label=tr("gpu_clouds.col_provider")),
        tables.Column(
            field="usd", label=tr("gpu_clouds.col_low"), kind="money", unit=f" {unit_name(measure)}", digits=3
        ),
    ]
    rows = [{"provider": name, "usd": (one.value or 0) * factor} for name, one in zip(names, shown, strict=True)]
    charts.show(fig, title=title, unit=unit, key="gc_chart_provider", numbers=lambda: (rows, columns))


def _takeaway(names: Sequence[str], prices: Sequence[str], amounts: Sequence[float], undated: Sequence[bool]) -> str:
    """What the bars say: of those with a date, or of those without where none has one."""
    alike = [place for place, flag in enumerate(undated) if flag == undated[0]]
    last = max(alike, key=lambda place: amounts[place])
    kind = (
        "takeaway_undated" if undated[0] else "takeaway" if last else "takeaway_same" if alike[1:] else "takeaway_one"
    )
    return tr(
        f"gpu_clouds.{kind}", first=names[0], price=prices[0], last=names[last], count=fmt().number(len(alike)),
        ratio=fmt().number(amounts[last] / amounts[0] if amounts[0] else 1, 1),
    )  # fmt: skip


def by_token(offers: Sequence[GpuOffer], today: dt.date) -> None:
    """The offers by what a useful token of the workload costs on them, for the model chosen on Rent or call.

    The filters are this page's alone: those of Rent or call do not act here.
    """
    choices = fleet_inputs.read()
    try:
        ranked = fleet.ranked_for(choices, workload(), offers)
    except SpotAloneError:
        widgets.show_empty(tr("gpu_clouds.fit_none"), tr("self_host.spot_needs_spare_here"))
        return
    name = model_shapes()[choices.model_id].name
    note = tr("gpu_clouds.token_note", model=name, precision=choices.precision.upper())
    st.caption(f"{note} {per_token.order(ranked)}" if ranked else note)
    st.page_link(page_of("self_host"), label=tr("gpu_clouds.token_link"), icon=":material/balance:")
    if ranked:
        columns, rows = per_token.columns(), per_token.rows(ranked[:TOKEN_ROWS], today, choices.precision)
        tables.table(rows, columns, key="gc_tokens", alt=tr("gpu_clouds.view_tokens"), height=380)
    else:
        widgets.show_empty(tr("gpu_clouds.fit_none"), tr("gpu_clouds.fit_none_body"))


def unit_name(measure: str) -> str:
    """The unit of a measure as charts name it."""
    text = tr(f"gpu_clouds.sort_{measure}")
    return text if measure in {"gpu_hour", "instance_hour"} else f"{text}, {tr('gpu_clouds.per_1000_hours_long')}"


def against_speed(rated: Sequence[Rated], specs: Mapping[tuple[str, str], GpuSpec]) -> None:
    """The cheapest ranking offer of each GPU against its dense BF16 speed."""
    best: dict[str, tuple[GpuOffer, float]] = {}
    for one in rated:
        spec = spec_for(dict(specs), one.offer.gpu_model, one.offer.gpu_form) if one.ranks else None
        if spec is None or not spec.bf16_dense_tflops:
            continue
        held = best.get(one.offer.gpu_model)
        if held is None or one.offer.usd_per_gpu_hour < held[0].usd_per_gpu_hour:
            best[one.offer.gpu_model] = (one.offer, spec.bf16_dense_tflops)
    if not best:
        return
    points = list(best.values())
    prices = [fmt().convert(offer.usd_per_gpu_hour) for offer, _ in points]
    speeds = [speed for _, speed in points]
    columns = [
        tables.Column(field="gpu", label="GPU"),
        tables.Column(field="speed", label="BF16", kind="number", unit="TFLOP/s"),
        tables.Column(field="usd", label=tr("gpu_clouds.col_per_gpu"), kind="money", unit="/h", digits=3),
    ]
    rows = [{"gpu": offer.gpu_model, "speed": speed, "usd": offer.usd_per_gpu_hour} for offer, speed in points]
    names = [offer.gpu_model for offer, _ in points]
    marks = {
        "x": speeds, "y": prices, "mode": "markers+text", "text": _labels(points), "hovertext": names,
        "textposition": "top left", "marker": {"size": 10, "color": charts.colour("rent")}, "cliponaxis": False,
        "hoverinfo": "text+x+y",
    }  # fmt: skip
    heights = {"yaxis": charts.ticks(prices, is_log=True)}
    fig = charts.figure([marks], heights, height_px=420, log_x=True, log_y=True)
    winner = min(points, key=lambda point: point[0].usd_per_gpu_hour / point[1])
    price = fmt().money(winner[0].usd_per_gpu_hour / winner[1] * 1_000)
    charts.show(
        fig, title=tr("gpu_clouds.takeaway_speed", gpu=winner[0].gpu_model, price=price),
        unit=tr("gpu_clouds.chart_speed_unit"), key="gc_chart_speed",
        numbers=lambda: (rows, columns),
    )  # fmt: skip


def _labels(points: Sequence[tuple[GpuOffer, float]]) -> list[str]:
    """Names of the GPUs that no other beats in price and speed; the rest say theirs on hover, or labels collide."""
    return [
        offer.gpu_model
        if not any(
            other.usd_per_gpu_hour <= offer.usd_per_gpu_hour and faster >= speed and other is not offer
            for other, faster in points
        )
        else ""
        for offer, speed in points
    ]


def rivals(offers: Sequence[GpuOffer], providers: Providers) -> None:
    """Sources that price the same thing differently by more than 2 %, side by side."""
    found = disagreements(offers)
    body = st.expander(
        tr("gpu_clouds.rivals", count=fmt().number(len(found))), on_change="rerun", key="gc_rivals",
        icon=":material/compare_arrows:",
    )  # fmt: skip
    if not body.open:
        return
    table_rows = [
        {
            "provider": provider_name(providers, one.offers[0].provider_id),
            "gpu": gpu_text(one.offers[0]),
            "option": purchase(one.offers[0]),
            "low": one.offers[0].usd_per_gpu_hour,
            "low_source": _told(one.offers[0]),
            "high": one.offers[-1].usd_per_gpu_hour,
            "high_source": _told(one.offers[-1]),
            "share": one.share,
        }
        for one in found
    ]
    with body:
        st.caption(tr("gpu_clouds.rivals_help"))
        tables.table(
            table_rows,
            [
                tables.Column(field="provider", label=tr("gpu_clouds.col_provider")),
                tables.Column(field="gpu", label=tr("gpu_clouds.col_gpu")),
                tables.Column(field="option", label=tr("gpu_clouds.col_option")),
                tables.Column(field="low", label=tr("gpu_clouds.col_low"), kind="money", unit="/h", digits=3),
                tables.Column(field="high", label=tr("gpu_clouds.col_high"), kind="money", unit="/h", digits=3),
                tables.Column(field="share", label=tr("gpu_clouds.col_share"), kind="share"),
                tables.Column(field="low_source", label=tr("gpu_clouds.col_low_source")),
                tables.Column(field="high_source", label=tr("gpu_clouds.col_high_source")),
            ],
            key="gc_rivals_table",
            alt=tr("gpu_clouds.rivals", count=fmt().number(len(found))),
        )


def _told(offer: GpuOffer) -> str:
    return f"{fmt().date(offer.as_of) if offer.as_of else tr('common.undated')} · {offer.source}"


def article(found: Sequence[ArticleGpuRow]) -> None:
    """The article's provider table, labelled; never part of any answer."""
    body = st.expander(tr("gpu_clouds.article"), on_change="rerun", key="gc_article", icon=":material/article:")
    if not body.open:
        return
    unknown = tr("common.unknown")
    table_rows = [
        {
            "name": fact(one.name),
            "a100": _range(one.a100_80gb_usd_per_gpu_hour, money=True),
            "h100": _range(one.h100_usd_per_gpu_hour, money=True),
            "region": fact(one.region or "") or unknown,
            "trip": _range(one.rtt_korea_ms, money=False),
            "topup": unknown if one.min_topup_usd is None else fmt().money(one.min_topup_usd),
            "payment": fact(one.payment or "") or unknown,
        }
        for one in found
    ]
    with body:
        st.caption(tr("gpu_clouds.article_help"))
        names = ("name", "a100", "h100", "region", "trip", "topup", "payment")
        tables.table(
            table_rows,
            [tables.Column(field=name, label=tr(f"gpu_clouds.article_{name}")) for name in names],
            key="gc_article_table",
            alt=tr("gpu_clouds.article"),
        )


def _range(pair: tuple[float, float] | None, *, money: bool) -> str:
    if pair is None:
        return "–"
    low, high = (fmt().money(one) if money else fmt().number(one) for one in pair)
    return low if low == high else f"{low} - {high}"


def source_days(rated: Sequence[Rated]) -> list[tuple[str, dt.date | None]]:
    """Source and day of every offer shown."""
    return [(one.offer.source.split("@")[0], one.offer.as_of) for one in rated]
