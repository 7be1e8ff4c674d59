"""What is the case for switching? Both ways simulated on the workload and evaluated, with the sources behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.costs.monthly import FleetWay, ModelWay, Simulation, Way, simulate
from core.costs.monthly_ways import Floats
from core.costs.roi_paths import Outcomes, path_outcomes, running_band
from core.costs.roi_plan import ServingCost, Switch, plan_switch
from core.costs.selfhost import Operations, monthly_cost_usd
from core.costs.selfhost_ranking import machine_of, rank_offers
from core.workload import Workload
from pages.parts import ways
from pages.parts.roi_inputs import RENT, Inputs, way_id
from pages.parts.state import catalog, tr

RENT_PRECISION = "fp8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A switch with its chances (None for typed amounts, which carry no uncertainty) and the sources of its prices."""

    switch: Switch
    starts: tuple[dt.date, ...]
    outcomes: Outcomes | None
    band: tuple[Floats, Floats] | None
    sources: tuple[tuple[str, dt.date | None], ...]


def labels(found: Sequence[Way]) -> dict[str, str]:
    """Ids and names of what can be chosen; renting always can."""
    names = {way_id(way): way.name for way in found}
    if not names:
        names = {key: ways.label_of(key) for key in ways.DEFAULT_MODELS if key in catalog().llm.sheets()}
    return names | {RENT: tr("roi.rent")}


def own_case(inputs: Inputs, workload: Workload, start: dt.date) -> Case:
    """The case for typed monthly amounts, the same in every month."""
    months = workload.horizon_months
    bills = [
        ServingCost(name=tr(f"roi.own_{name}"), kind="call", lines_usd={"bill": np.full(months, usd)})
        for name, usd in (("now", inputs.now_usd), ("new", inputs.new_usd))
    ]
    first = start.year * 12 + start.month - 1
    return Case(
        switch=plan_switch(bills[0], bills[1], inputs.terms),
        starts=tuple(dt.date((first + k) // 12, (first + k) % 12 + 1, 1) for k in range(months)),
        outcomes=None,
        band=None,
        sources=(),
    )


def simulated_case(inputs: Inputs, workload: Workload, found: Sequence[Way], start: dt.date) -> Case | str:
    """The case from the simulation, or the sentence that says why there is none."""
    by_id = {way_id(way): way for way in found}
    sources: list[tuple[str, dt.date | None]] = []
    if RENT in (inputs.from_id, inputs.to_id):
        fleet, source = _fleet(inputs.rent_model, workload, start)
        if fleet is None:
            return tr("roi.no_fleet")
        by_id[RENT] = fleet
        sources.append(source)
    if inputs.from_id == inputs.to_id:
        return tr("roi.same_way")
    sheets = catalog().llm.sheets()
    chosen = [
        by_id.get(one) or ModelWay(name=ways.label_of(one), sheet=sheets[one]) for one in (inputs.from_id, inputs.to_id)
    ]
    simulation = simulate(workload, chosen, start=start)
    for way in simulation.ways:
        if way.total_usd is None:
            return tr("roi.no_price", way=way.name)
    sources += [(row.source, row.as_of) for sheet in ways.sheets_of(chosen) for row in sheet.rows[:1]]
    return _evaluated(simulation, inputs, tuple(sources))


def _evaluated(simulation: Simulation, inputs: Inputs, sources: tuple[tuple[str, dt.date | None], ...]) -> Case:
    bills = [ServingCost(name=way.name, kind=way.kind, lines_usd=way.lines_usd) for way in simulation.ways]
    before, after = (simulation.paths_usd(bill.name) for bill in bills)
    return Case(
        switch=plan_switch(bills[0], bills[1], inputs.terms),
        starts=simulation.starts,
        outcomes=path_outcomes(before, after, inputs.terms),
        band=running_band(before, after, inputs.terms),
        sources=sources,
    )


def _fleet(model: str, workload: Workload, today: dt.date) -> tuple[FleetWay | None, tuple[str, dt.date | None]]:
    """The cheapest machines that hold the model and meet the peak, with the operations of "rent or call"."""
    offers = catalog().gpu_offers(purchase_option="on_demand")
    operations = Operations()
    ranked = rank_offers(offers, model, workload, operations, precision=RENT_PRECISION, today=today)
    if not ranked:
        return None, ("", None)
    best = ranked[0]
    machine = machine_of(best.offer, best.estimate)
    # The simulation passes requests with their retries, so the fleet must not add them again.
    plain = replace(workload, retry_share=0.0)
    name = tr("roi.rent_name", count=best.fleet.gpu_count, gpu=best.offer.gpu_model, provider=best.offer.provider_id)
    way = FleetWay(name=name, monthly_cost_usd=lambda requests: monthly_cost_usd(machine, plain, operations, requests))
    return way, (best.offer.source, best.offer.as_of)
