"""Who should rent, who should call, who should go through a gateway: the rules as sentences, and their thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.costs.gpu_sellers import is_of_others
from core.costs.gpus import GpuOffer
from core.costs.selfhost_ranking import RankedOffer
from core.costs.selfhost_verdict import FleetPlace, Rule, Side, Situation, Thresholds, conclusion, rules, saving_share
from core.workload import Workload
from pages.parts import address, number_field, ways, widgets
from pages.parts.fleet_inputs import Choices
from pages.parts.offer_words import place_text, provider_name
from pages.parts.self_host_plan import Plan, peak_reply
from pages.parts.state import catalog, fmt, tr
from pages.parts.widgets import share_text

PLAIN = Thresholds()
FIELD_MIN_WIDTH_PX = 220
FIELDS = (
    address.Field(key="sh_t_staff", kind="float", default=PLAIN.staff_fte, low=0, high=10),
    address.Field(key="sh_t_util", kind="float", default=PLAIN.utilization * 100, low=0, high=100),
    address.Field(key="sh_t_saving", kind="float", default=PLAIN.saving_share * 100, low=0, high=100),
    address.Field(key="sh_t_first", kind="float", default=None, low=0.01, high=600),
    address.Field(key="sh_t_stream", kind="float", default=None, low=0.1, high=10_000),
    address.Field(key="sh_residency", kind="flag", default=False, named=widgets.on_off),
    address.Field(key="sh_korean_pay", kind="flag", default=False, named=widgets.on_off),
    address.Field(key="sh_failover", kind="flag", default=False, named=widgets.on_off),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The conclusion in words, empty when there is none, and the reasons for each side that it does not hold."""

    conclusion: str
    reasons: Sequence[tuple[Side, str]]


def read() -> dict[str, Any]:
    """Thresholds and wishes as of this run; what an address got wrong is said."""
    values, problems = address.bind(FIELDS)
    labels = {one.key: tr(f"self_host.{one.key.removeprefix('sh_')}") for one in FIELDS}
    widgets.show_problems(problems, labels)
    # A field that was emptied counts as its default.
    return {one.key: one.default if values[one.key] is None else values[one.key] for one in FIELDS}


def verdict(plan: Plan, choices: Choices, workload: Workload, values: Mapping[str, Any]) -> Verdict:
    """What to do, when that can be said, and every other rule that applies to this input, those of cost first."""
    thresholds = Thresholds(
        staff_fte=values["sh_t_staff"], utilization=values["sh_t_util"] / 100, saving_share=values["sh_t_saving"] / 100,
        first_token_s=values["sh_t_first"], stream_tokens_per_s=values["sh_t_stream"],
    )  # fmt: skip
    situation = _situation(plan, choices, workload, values, thresholds)
    found = rules(situation, thresholds)
    decided = conclusion(found)
    facts = _facts(plan, situation, thresholds)
    because = decided.because if decided else ()
    why = " ".join(_text(one, situation, facts) for one in because)
    kinds = {one.kind for one in because}
    return Verdict(
        conclusion=tr(f"self_host.conclusion_{decided.outcome}", why=why) if decided else "",
        reasons=[(one.side, _text(one, situation, facts)) for one in found if one.kind not in kinds],
    )


def _situation(
    plan: Plan, choices: Choices, workload: Workload, values: Mapping[str, Any], thresholds: Thresholds
) -> Situation:
    best, api = plan.best, plan.api
    asks = thresholds.first_token_s is not None or thresholds.stream_tokens_per_s is not None
    reply = peak_reply(plan, choices, workload) if asks else None
    is_host = api is not None and any(one.key == api.key for one in plan.hosts)
    return Situation(
        rent_usd_per_month=best.fleet.tco_usd_per_month if best else None,
        call_usd_per_month=api.usd_per_month if api else None,
        utilization=best.fleet.utilization if best else None,
        staff_fte=choices.operations.staff_fte,
        batch_share=workload.batch_share,
        place=_place(plan),
        first_token_s=reply.first_token_s if reply else None,
        stream_tokens_per_s=reply.tokens_per_s if reply else None,
        most_utilization=choices.operations.load_factor / workload.peak_to_average,
        has_own_machines=_own_machines(plan) is not None,
        host_count=len({one.key.partition("/")[0] for one in plan.hosts}) if is_host or not plan.hosts else None,
        needs_residency=values["sh_residency"],
        needs_korean_payment=values["sh_korean_pay"],
        needs_failover=values["sh_failover"],
    )


def _place(plan: Plan) -> FleetPlace:
    if plan.best is None:
        return "none"
    offer = plan.best.offer
    if is_of_others(offer):
        return "market"
    return "region" if offer.region or offer.country else "no_region"


def _facts(plan: Plan, situation: Situation, thresholds: Thresholds) -> dict[str, str]:
    """What fills the sentences."""
    show, best, hosts = fmt(), plan.best, plan.hosts
    rent, call = situation.rent_usd_per_month, situation.call_usd_per_month
    providers = catalog().providers()
    limits = [
        tr("self_host.limit_first", s=f"{thresholds.first_token_s:g}") if thresholds.first_token_s else "",
        tr("self_host.limit_stream", speed=f"{thresholds.stream_tokens_per_s:g}")
        if thresholds.stream_tokens_per_s
        else "",
    ]
    return {
        "rent": show.money_short(rent), "call": show.money_short(call),
        "saving": share_text(saving_share(rent or 0.0, call or 0.0)),
        "have": f"{situation.staff_fte:g}", "need": f"{thresholds.staff_fte:g}",
        "provider": provider_name(providers, best.offer.provider_id) if best else "–",
        "place": place_text(best.offer) if best else "–", "own": _own_text(plan),
        "most": share_text(situation.most_utilization),
        "api": ways.label_of(plan.api.key) if plan.api else "–",
        "first": show.number(situation.first_token_s, 2), "stream": show.number(situation.stream_tokens_per_s, 1),
        "limits": ", ".join(filter(None, limits)),
        "count": show.number(situation.host_count), "cheapest": ways.label_of(hosts[0].key) if hosts else "–",
        "range": "–".join(dict.fromkeys(show.money_short(one.usd_per_month) for one in (*hosts[:1], *hosts[-1:]))),
    }  # fmt: skip


def _own_machines(plan: Plan) -> RankedOffer | None:
    """The cheapest fleet on a provider's own machines in a stated region, with a dated price if there is one."""

    def is_own(offer: GpuOffer) -> bool:
        return not is_of_others(offer) and bool(offer.region or offer.country)

    dated = plan.ranked.first(lambda offer: is_own(offer) and offer.as_of is not None)
    return dated or plan.ranked.first(is_own)


def _own_text(plan: Plan) -> str:
    first, show = _own_machines(plan), fmt()
    if first is None:
        return tr("self_host.no_own_machines")
    return tr(
        "self_host.own_machines", usd=show.money_short(first.fleet.tco_usd_per_month),
        fleet=f"{show.number(first.fleet.gpu_count)} × {first.offer.gpu_model}",
        provider=provider_name(catalog().providers(), first.offer.provider_id),
        place=place_text(first.offer) + ("" if first.is_dated else f", {tr('common.undated')}"),
    )  # fmt: skip


def _text(rule: Rule, situation: Situation, facts: Mapping[str, str]) -> str:
    share = situation.batch_share if rule.kind == "batch" else situation.utilization
    return tr(f"self_host.rule_{rule.kind}", share=share_text(share), **facts)


def draw(found: Verdict) -> None:
    """A short list of reasons for each side that has any."""
    icons: dict[Side, str] = {"rent": "dns", "call": "api", "gateway": "alt_route", "open": "help"}
    parts: list[str] = []
    for side, icon in icons.items():
        texts = [f"- {text}" for of, text in found.reasons if of == side]
        if texts:
            parts += [f":material/{icon}: **{tr(f'self_host.side_{side}')}**", "\n".join(texts)]
    st.markdown("\n\n".join(parts))


def draw_thresholds() -> None:
    """The rules' thresholds and the reader's wishes."""
    body = st.expander(tr("self_host.thresholds"), on_change="rerun", key="sh_rules")
    if not body.open:
        return
    numbers = (
        ("t_staff", 0, 10, 0.05), ("t_util", 0, 100, 5), ("t_saving", 0, 100, 5), ("t_first", 0.01, 600, 0.5),
        ("t_stream", 0.1, 10_000, 5),
    )  # fmt: skip
    with body, st.grid(3, min_column_width=FIELD_MIN_WIDTH_PX, vertical_alignment="bottom"):
        for name, low, high, step in numbers:
            number_field.number_field(
                tr(f"self_host.{name}"), low, high, key=f"sh_{name}", step=step, format="%.9g", placeholder="–",
                help=tr(f"self_host.{name}_help"), has_sentence=False,
            )  # fmt: skip
    with body:
        for name, *_ in numbers:
            number_field.say(f"sh_{name}", tr(f"self_host.{name}"))
        for name in ("residency", "korean_pay", "failover"):
            st.toggle(tr(f"self_host.{name}"), key=f"sh_{name}")
