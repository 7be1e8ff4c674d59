"""What does the overview compare? The ways of the monthly plan, one through a gateway, and the cheapest fleet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from core.catalog.hosts import hosts_of
from core.costs.monthly import (
    ModelWay,
    Simulation,
    Way,
    WayResult,
    planned_totals,
    simulate,
    through_gateway,
)
from core.costs.monthly_ways import GATEWAY_TERMS
from core.workload import Workload
from pages.parts import fleet, fleet_inputs, planning, self_host_plan, ways
from pages.parts.state import catalog, prices_version, tr

KEPT_HOSTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Every way simulated on the workload, the cheapest of each kind, and the one that counts as today's."""

    simulation: Simulation
    ways: Sequence[Way]
    baseline: WayResult | None
    refused: Sequence[str]


def own_api(simulation: Simulation) -> tuple[str, float] | None:
    """Key of the cheapest API that sells the own fleet's open model, and its bill (USD) of the first month.

    Rent or call compares with the same one, in a month without a season.
    """
    model_id = str(st.session_state.get(ways.RENT) or fleet_inputs.read().model_id)
    hosts, first = _hosts(model_id, prices_version()), dt.datetime.combine(simulation.starts[0], dt.time(), dt.UTC)
    bills = self_host_plan.api_bills(hosts, catalog().llm.sheets(), simulation.workload, first)
    return (bills[0].key, bills[0].usd_per_request * float(simulation.requests[0])) if bills else None


@lru_cache(maxsize=KEPT_HOSTS)
def _hosts(model_id: str, _prices: tuple[object, ...]) -> list[str]:
    return hosts_of(model_id, catalog().llm.sheets())


def make_overview(workload: Workload) -> Overview:
    """Simulates the plan's ways with a gateway and a fleet beside them."""
    kept, refused = planning.chosen_ways()
    found = [*kept, *_gateway(kept, workload), *_fleet(kept, workload)]
    simulation = simulate(workload, found, start=planning.start(), outlook=planning.outlook())
    return Overview(simulation=simulation, ways=found, baseline=planning.baseline_of(kept, simulation), refused=refused)


def _gateway(chosen: Sequence[Way], workload: Workload) -> list[Way]:
    """The cheapest chosen model through a gateway, unless the plan has a gateway already."""
    if any(way.kind == "gateway" for way in chosen):
        return []
    models = [way for way in chosen if isinstance(way, ModelWay)]
    # Over all months, as on the other cards: a price that changes soon makes another model the cheapest.
    totals = planned_totals(workload, models, start=planning.start(), outlook=planning.outlook())
    known = [way for way in models if totals[way.name] is not None]
    inner = min(known, key=lambda way: totals[way.name] or 0.0, default=None)
    if inner is None:
        return []
    return [through_gateway(inner, name=tr("overview.through_gateway", model=inner.name), terms=GATEWAY_TERMS)]


def _fleet(chosen: Sequence[Way], workload: Workload) -> list[Way]:
    """The cheapest machines of one's own, unless the plan has them already."""
    if any(way.kind == "rent" for way in chosen):
        return []
    found = fleet.cheapest_way(fleet_inputs.read(), workload)
    return [found] if found else []
