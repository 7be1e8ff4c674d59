"""What does the answer of "rent or call" rest on? Prices, speed and its band, utilization, the naive figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import streamlit as st

from core.costs.api_bills import api_cost_usd
from core.costs.gpu_sellers import is_of_others
from core.costs.gpus import STALE_AFTER_DAYS
from core.costs.model_shapes import model_shapes
from core.costs.selfhost_ranking import RankedOffer, undated_below
from core.costs.selfhost_replicas import OwnSpeed
from core.costs.throughput import ThroughputEstimate
from core.costs.tokens_history import price_changes
from core.money import usd_from_micro
from core.workload import Workload
from pages.parts import per_token, ways
from pages.parts.fleet_inputs import Choices
from pages.parts.offer_words import provider_name
from pages.parts.self_host_charts import machine_text
from pages.parts.self_host_plan import Plan
from pages.parts.state import catalog, fmt, today, tr
from pages.parts.widgets import share_text

SAME = 0.99  # a break-even that is earlier by less is the same


def under_the_cards(plan: Plan, choices: Choices, workload: Workload, conclusion: str) -> None:
    """What to do, and what the figures above are not, each in one sentence: another model's API, an undated price."""
    parts = [f"**{conclusion}**"] if conclusion else []
    if not plan.hosts and not choices.api_model:
        name = model_shapes()[choices.model_id].name
        key = "self_host.no_host" if plan.api else "self_host.no_host_no_api"
        parts.append(_small(tr(key, model=name, api=ways.label_of(plan.api.key) if plan.api else "–")))
    cheaper = undated_below(plan.ranked)
    if cheaper:
        parts.append(_small(per_token.undated_text(cheaper)))
    elif plan.best is not None and not plan.best.is_dated:
        parts.append(_small(tr("self_host.all_undated")))
    parts += map(_small, _announced(plan))
    if workload.seasonality:
        parts.append(_small(tr("workload.no_season")))
    if parts:
        st.markdown("\n\n".join(parts))


def _announced(plan: Plan) -> Iterator[str]:
    """That the price of the API will change, since the page counts today's: a sentence for each day."""
    sheet = catalog().llm.sheets().get(plan.api.key) if plan.api else None
    if sheet is None:
        return
    by_day: dict[dt.date, list[str]] = {}
    for change in price_changes([sheet], today() + dt.timedelta(days=1)):
        ends = (fmt().money_short(usd_from_micro(each)) for each in (change.before_micro, change.after_micro))
        by_day.setdefault(change.day, []).append(
            f"{tr(f'model_prices.component_{change.component}')} {' → '.join(ends)}"
        )
    for day, parts in by_day.items():
        name, changes = ways.label_of(sheet.key), ", ".join(parts).replace("$", r"\$")
        yield tr("self_host.announced", model=name, date=fmt().date(day), changes=changes)


def _small(text: str) -> str:
    return f":small[:gray[{text}]]"


def why(plan: Plan, choices: Choices, workload: Workload) -> None:
    """The small print below the chart."""
    if plan.best is None:
        return
    show, fleet, own = fmt(), plan.best.fleet, plan.own
    texts = [
        tr(
            "self_host.why_api", model=ways.label_of(plan.api.key),
            usd=show.money(api_cost_usd(plan.api.usd_per_request, workload, 1.0)),
        ) if plan.api else "",
        _speed(plan.best, choices),
        _own(plan, own) if own else "",
        tr(
            "self_host.why_fleet", replicas=show.number(fleet.replica_count), machines=show.number(fleet.machine_count),
            utilization=share_text(fleet.utilization), peak=_rate(fleet.peak_tokens_per_s),
        ),
        _market(plan.best),
        *_missing_prices(plan, choices),
        tr("self_host.why_api_only") if workload.cached_share or workload.batch_share else "",
        _naive(plan),
        _undated_even(plan),
    ]  # fmt: skip
    st.caption("\n\n".join(filter(None, texts)))


def _own(plan: Plan, own: OwnSpeed) -> str:
    """What the reader's measurement holds for, or that no machine is as large as the one measured."""
    is_offered = any(offer.gpu_model == own.gpu_model for offer in plan.candidates.options.offers)
    return tr(
        "self_host.why_own" if is_offered else "self_host.why_own_nowhere", speed=fmt().number(own.tokens_per_s),
        gpus=str(own.gpus_per_replica), gpu=own.gpu_model,
    )  # fmt: skip


def _missing_prices(plan: Plan, choices: Choices) -> Iterator[str]:
    """For a share that is to be reserved or on spot: that the cheapest fleet has no such price, and how many have."""
    best, usd = plan.best, plan.candidates.options.usd_per_hour
    if best is None or best.offer.purchase_option != "on_demand":
        return
    operations, owners = choices.operations, plan.candidates.options.owners.tolist()
    for place, name, share in ((1, "reserved", operations.reserved_share), (2, "spot", operations.spot_share)):
        if share and getattr(best.fleet.machine, f"{name}_usd_per_hour") is None:
            have = {owner for owner, row in zip(owners, usd, strict=True) if row[place] is not None}
            yield tr(
                f"self_host.why_no_{name}", machine=machine_text(best.fleet.machine), count=fmt().number(len(have)),
                provider=provider_name(catalog().providers(), best.offer.provider_id), days=str(STALE_AFTER_DAYS),
                all=fmt().number(len(plan.ranked)),
            )  # fmt: skip


def _market(best: RankedOffer) -> str:
    """That a marketplace's lowest price is that of single machines; empty for one machine or another seller."""
    if best.fleet.machine_count == 1 or not is_of_others(best.offer):
        return ""
    provider = provider_name(catalog().providers(), best.offer.provider_id)
    return tr("self_host.why_market", provider=provider, machines=fmt().number(best.fleet.machine_count))


def _undated_even(plan: Plan) -> str:
    """From where renting would win if undated prices counted; empty where they change nothing."""
    even, undated = (one.lasting if one else None for one in (plan.even, plan.even_undated))
    if undated is None or (even and undated.requests_per_month > even.requests_per_month * SAME):
        return ""
    if plan.candidates.options.offer(undated.choice).as_of is not None:
        return ""  # a dated machine gets there already; an undated one only fills a gap further up
    machine, offer = plan.candidates.options.machine(undated.choice), plan.candidates.options.offer(undated.choice)
    provider = provider_name(catalog().providers(), offer.provider_id)
    return tr(
        "self_host.why_undated_even", requests=fmt().compact(undated.requests_per_month), machine=machine_text(machine),
        provider=provider,
    )  # fmt: skip


def _speed(best: RankedOffer, choices: Choices) -> str:
    """Tokens/s of a replica, what they rest on, and what the GPU lacks."""
    estimate = best.estimate
    is_own = estimate.basis_kind == "own_measurement"
    text = tr(
        "self_host.why_speed_own" if is_own else "self_host.why_speed", speed=_rate(estimate.output_tokens_per_s),
        low=_rate(estimate.low), high=_rate(estimate.high), gpus=str(estimate.gpus_per_replica),
        basis="" if is_own else _basis(estimate),
    )  # fmt: skip
    parts = [text]
    if estimate.computed_in not in ("", choices.precision):
        wide = estimate.computed_in.upper()
        parts.append(tr("self_host.why_wider", gpu=best.offer.gpu_model, narrow=choices.precision.upper(), wide=wide))
    if best.offer.is_per_gpu:
        parts.append(tr("self_host.why_per_gpu", machine=machine_text(best.fleet.machine)))
    return " ".join(parts)


def _rate(tokens_per_s: float) -> str:
    """Tokens/s; of few, as many decimals as keep it from being written as none."""
    return fmt().number(tokens_per_s, 0 if tokens_per_s >= 10 else 1 if tokens_per_s >= 1 else 3)


def _basis(estimate: ThroughputEstimate) -> str:
    """What the speed rests on: the closest published measurement, or none."""
    row = estimate.nearest
    if row is None:
        return tr("self_host.basis_roofline")
    return tr(
        "self_host.basis_scaled", model=row.point.shape.name, precision=row.point.precision.upper(),
        gpu=row.point.spec.gpu_model, engine=row.engine, month=row.measured_on,
    )  # fmt: skip


def _naive(plan: Plan) -> str:
    """What dividing one price by the other would promise, beside what is true; empty where either is unknown."""
    show, even = fmt(), plan.even
    if not plan.naive_requests or even is None:
        return ""
    naive, lasting = show.compact(plan.naive_requests), even.lasting
    machine = plan.winner or plan.machine
    by = machine_text(machine) if machine else "–"
    if lasting is not None:
        ratio = lasting.requests_per_month / plan.naive_requests
        return tr(
            "self_host.why_naive" if ratio >= 1 else "self_host.why_naive_earlier", machine=by, naive=naive,
            true=show.compact(lasting.requests_per_month), ratio=show.number(ratio, 1 if ratio >= 0.1 else 3),
        )  # fmt: skip
    if not even.never:
        return ""
    is_undated = even.never == "machines_cost_more_per_request" and plan.best and not plan.best.is_dated
    reason = tr(f"self_host.never_{even.never}{'_undated' if is_undated else ''}")
    return tr("self_host.why_never", machine=by, naive=naive, why=reason)
