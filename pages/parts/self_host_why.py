"""What does the answer of "rent or call" rest on? Prices, speed and its band, utilization, the naive figure."""

from __future__ import annotations

import streamlit as st

from core.costs.model_shapes import model_shapes
from core.costs.selfhost_ranking import RankedOffer, undated_below
from core.costs.throughput import ThroughputEstimate
from pages.parts import per_token
from pages.parts.gpu_rows import provider_name
from pages.parts.self_host_charts import machine_text
from pages.parts.self_host_inputs import Choices
from pages.parts.self_host_plan import Plan
from pages.parts.self_host_verdict import share_text
from pages.parts.state import catalog, fmt, tr

SAME = 0.99  # a break-even that is earlier by less is the same


def under_the_cards(plan: Plan, choices: Choices) -> None:
    """What the figures above are not, each in one sentence: another model's API, an undated price."""
    if not plan.hosts and not choices.api_model:
        name = model_shapes()[choices.model_id].name
        key = "self_host.no_host" if plan.api else "self_host.no_host_no_api"
        st.caption(tr(key, model=name, api=plan.api.key if plan.api else "–"))
    cheaper = undated_below(plan.ranked)
    if cheaper:
        st.caption(per_token.undated_text(cheaper))
    elif plan.best is not None and not plan.best.is_dated:
        st.caption(tr("self_host.all_undated"))


def why(plan: Plan, choices: Choices) -> None:
    """The small print below the chart."""
    if plan.best is None:
        return
    show, fleet, own = fmt(), plan.best.fleet, plan.own
    texts = [
        tr("self_host.why_api", model=plan.api.key, usd=show.money(plan.api.usd_per_request)) if plan.api else "",
        _speed(plan.best, choices),
        tr(
            "self_host.why_own", speed=show.number(own.tokens_per_s), gpus=str(own.gpus_per_replica), gpu=own.gpu_model
        ) if own else "",
        tr(
            "self_host.why_fleet", replicas=show.number(fleet.replica_count), machines=show.number(fleet.machine_count),
            utilization=share_text(fleet.utilization), peak=show.number(fleet.peak_tokens_per_s),
        ),
        _naive(plan),
        _undated_even(plan),
    ]  # fmt: skip
    st.caption("\n\n".join(filter(None, texts)))


def _undated_even(plan: Plan) -> str:
    """From where renting would win if undated prices counted; empty where they change nothing."""
    even, undated = (one.lasting if one else None for one in (plan.even, plan.even_undated))
    if undated is None or (even and undated.requests_per_month > even.requests_per_month * SAME):
        return ""
    machine, offer = plan.candidates.options.machine(undated.choice), plan.candidates.options.offer(undated.choice)
    provider = provider_name(catalog().providers(), offer.provider_id)
    return tr(
        "self_host.why_undated_even", requests=fmt().compact(undated.requests_per_month), machine=machine_text(machine),
        provider=provider,
    )  # fmt: skip


def _speed(best: RankedOffer, choices: Choices) -> str:
    """Tokens/s of a replica, what they rest on, and what the GPU lacks."""
    show, estimate = fmt(), best.estimate
    is_own = estimate.basis_kind == "own_measurement"
    text = tr(
        "self_host.why_speed_own" if is_own else "self_host.why_speed", speed=show.number(estimate.output_tokens_per_s),
        low=show.number(estimate.low), high=show.number(estimate.high), gpus=str(estimate.gpus_per_replica),
        basis="" if is_own else _basis(estimate),
    )  # fmt: skip
    parts = [text]
    if estimate.computed_in not in ("", choices.precision):
        wide = estimate.computed_in.upper()
        parts.append(tr("self_host.why_wider", gpu=best.offer.gpu_model, narrow=choices.precision.upper(), wide=wide))
    if best.offer.is_per_gpu:
        parts.append(tr("self_host.why_per_gpu", machine=machine_text(best.fleet.machine)))
    return " ".join(parts)


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
        return tr(
            "self_host.why_naive", machine=by, naive=naive, true=show.compact(lasting.requests_per_month),
            ratio=show.number(lasting.requests_per_month / plan.naive_requests, 1),
        )  # fmt: skip
    if not even.never:
        return ""
    return tr("self_host.why_never", machine=by, naive=naive, why=tr(f"self_host.never_{even.never}"))
