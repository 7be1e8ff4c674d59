"""What is the case for switching? Both ways simulated on the workload and evaluated, with the sources behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.costs.conventions import Floats
from core.costs.monthly import ModelWay, Outlook, Simulation, Way, planned_totals, simulate
from core.costs.monthly_outlook import month_starts
from core.costs.roi_paths import Outcomes, path_outcomes, running_band
from core.costs.roi_plan import ServingCost, Switch, plan_switch
from core.money import HUGE
from core.workload import Workload
from pages.parts import fleet, fleet_inputs, planning, ways
from pages.parts.roi_inputs import RENT, Inputs
from pages.parts.state import catalog, tr


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A switch with its chances and the sources of its prices.

    For typed amounts, which have neither, `outcomes`, `band` and `outlook` are None and there are no ways.
    """

    switch: Switch
    starts: tuple[dt.date, ...]
    outcomes: Outcomes | None
    band: tuple[Floats, Floats] | None
    sources: tuple[tuple[str, dt.date | None], ...]
    ways: tuple[Way, ...] = ()
    outlook: Outlook | None = None


def labels(found: Sequence[Way]) -> dict[str, str]:
    """Ids and names of what can be chosen; renting always can."""
    names = {ways.way_id(way): way.name for way in found}
    if not names:
        names = {key: ways.label_of(key) for key in ways.DEFAULT_MODELS if key in catalog().llm.sheets()}
    names.setdefault(RENT, tr("roi.rent"))
    return names


def planned_ids(found: Sequence[Way], workload: Workload) -> tuple[str | None, list[str]]:
    """Id of the way savings are measured against, and of the ways called, the lowest planned total first."""
    totals = planned_totals(workload, found, start=planning.start(), outlook=planning.outlook())
    today = planning.baseline_way(found, totals)
    called = [way for way in found if way.kind != "rent" and totals[way.name] is not None]
    called.sort(key=lambda way: totals[way.name] or 0.0)
    return (ways.way_id(today) if today else None), [ways.way_id(way) for way in called]


def own_case(inputs: Inputs, workload: Workload) -> Case:
    """The case for typed monthly amounts, the same in every month."""
    months = workload.horizon_months
    bills = [
        ServingCost(name=tr(f"roi.own_{name}"), kind="call", lines_usd={"bill": np.full(months, usd)})
        for name, usd in (("now", inputs.now_usd), ("new", inputs.new_usd))
    ]
    return Case(
        switch=plan_switch(bills[0], bills[1], inputs.terms),
        starts=tuple(month_starts(planning.start(), months)),
        outcomes=None,
        band=None,
        sources=(),
    )


def simulated_case(inputs: Inputs, workload: Workload, found: Sequence[Way]) -> Case | str:
    """The case from the simulation, or the sentence that says why there is none.

    First month and uncertainty are those of the monthly plan.
    """
    by_id = {ways.way_id(way): way for way in found}
    if RENT in (inputs.from_id, inputs.to_id) and RENT not in by_id:
        run = fleet_inputs.read()
        rent = fleet.cheapest_way(run, workload)
        if rent is None:
            return fleet.why_none(run, workload)
        by_id[RENT] = rent
    if inputs.from_id == inputs.to_id:
        return tr("roi.same_way")
    sheets = catalog().llm.sheets()
    chosen = [
        by_id.get(one) or ModelWay(name=ways.label_of(one), sheet=sheets[one]) for one in (inputs.from_id, inputs.to_id)
    ]
    start, outlook = planning.start(), planning.outlook()
    simulation = simulate(workload, chosen, start=start, outlook=outlook)
    for way in simulation.ways:
        if way.total_usd is None:
            return tr("roi.no_price", way=way.name)
        if way.total_usd > HUGE:
            return tr("roi.too_large", way=way.name)
    return _evaluated(simulation, inputs, chosen, outlook)


def _evaluated(simulation: Simulation, inputs: Inputs, chosen: Sequence[Way], outlook: Outlook) -> Case:
    bills = [ServingCost(name=way.name, kind=way.kind, lines_usd=way.lines_usd) for way in simulation.ways]
    before, after = (simulation.paths_usd(bill.name) for bill in bills)
    return Case(
        switch=plan_switch(bills[0], bills[1], inputs.terms),
        starts=simulation.starts,
        outcomes=path_outcomes(before, after, inputs.terms),
        band=running_band(before, after, inputs.terms),
        sources=tuple(planning.sources(chosen, simulation.starts[0])),
        ways=tuple(chosen),
        outlook=outlook,
    )
