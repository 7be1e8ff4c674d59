"""What does "rent or call" compare? The cheapest fleet and the cheapest API for the workload, and where they cross."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from core.costs.api_bills import ApiBill, api_bill
from core.costs.model_shapes import model_shape
from core.costs.selfhost import Machine, naive_break_even_requests
from core.costs.selfhost_break_even import BreakEven, break_even
from core.costs.selfhost_ranking import RankedOffer
from core.costs.tokens import PriceSheet
from core.workload import Workload
from pages.parts import fleet
from pages.parts.self_host_inputs import WELL_KNOWN, Choices, hosts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Both ways, ranked; `even` is against `api`, its band from the throughput's band."""

    apis: tuple[ApiBill, ...]
    ranked: tuple[RankedOffer, ...]
    api: ApiBill | None
    best: RankedOffer | None
    even: BreakEven | None
    even_low: BreakEven | None
    even_high: BreakEven | None
    naive_requests: float | None

    @property
    def machine(self) -> Machine | None:
        return self.best.fleet.machine if self.best else None


def api_bills(keys: Iterable[str], sheets: Mapping[str, PriceSheet], workload: Workload) -> list[ApiBill]:
    """The workload's bill on each model that has a price today, the cheapest first."""
    now = dt.datetime.now(dt.UTC)
    bills = [api_bill(sheets[key], workload, now) for key in keys if key in sheets]
    priced = [one for one in bills if one is not None and one.usd_per_request > 0]
    return sorted(priced, key=lambda one: one.usd_per_month)


def make_plan(choices: Choices, workload: Workload, sheets: Mapping[str, PriceSheet]) -> Plan:
    """Ranks offers and APIs and finds where they cross."""
    keys = [choices.api_model] if choices.api_model else hosts_of(choices.model_id, sheets) or list(WELL_KNOWN)
    apis = api_bills(keys, sheets, workload)
    ranked = fleet.ranked_for(choices, workload)
    best = fleet.as_run(ranked[0], choices, workload) if ranked else None
    plan = Plan(
        apis=tuple(apis), ranked=tuple(ranked), api=apis[0] if apis else None, best=best, even=None, even_low=None,
        even_high=None, naive_requests=None,
    )  # fmt: skip
    return _crossed(plan, workload)


def _crossed(plan: Plan, workload: Workload) -> Plan:
    if plan.best is None or plan.machine is None or plan.api is None:
        return plan
    machine, usd, operations = plan.machine, plan.api.usd_per_request, plan.best.operations
    slow, fast = plan.best.estimate.low, plan.best.estimate.high
    return replace(
        plan,
        even=break_even(machine, workload, operations, usd),
        even_low=break_even(replace(machine, tokens_per_s_per_replica=fast), workload, operations, usd),
        even_high=break_even(replace(machine, tokens_per_s_per_replica=slow), workload, operations, usd),
        naive_requests=naive_break_even_requests(machine, workload, usd),
    )


def what_would_fit(model_id: str, precision: str) -> float:
    """GB of memory the weights take, for the sentence of an empty table."""
    return model_shape(model_id).weight_gb(precision)
