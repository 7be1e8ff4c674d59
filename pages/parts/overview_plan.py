"""What does the overview compare? The ways of the monthly plan, one through a gateway, and the cheapest fleet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.costs.monthly import (
    ModelWay,
    Simulation,
    Terms,
    Way,
    WayResult,
    simulate,
    through_gateway,
)
from core.workload import Workload
from pages.parts import fleet, monthly_data, self_host_inputs
from pages.parts.state import tr

# What a gateway commonly adds: the article's assumed monthly fee and Korean VAT; both can be changed on Monthly cost.
GATEWAY_TERMS = Terms(fee_usd_per_month=29.0, vat_share=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Every way simulated on the workload, the cheapest of each kind, and the one that counts as today's."""

    simulation: Simulation
    ways: Sequence[Way]
    baseline: WayResult | None
    refused: Sequence[str]

    def cheapest(self, kind: str) -> WayResult | None:
        """The way of a kind (`call`, `gateway`, `rent`) with the lowest planned total."""
        known = [way for way in self.simulation.ways if way.kind == kind and way.total_usd is not None]
        return min(known, key=lambda way: way.total_usd or 0.0, default=None)


def make_overview(workload: Workload) -> Overview:
    """Simulates the plan's ways with a gateway and a fleet beside them."""
    kept, refused = monthly_data.chosen_ways()
    found = [*kept, *_gateway(kept, workload), *_fleet(kept, workload)]
    simulation = simulate(workload, found, start=monthly_data.start(), outlook=monthly_data.outlook())
    return Overview(
        simulation=simulation, ways=found, baseline=monthly_data.baseline_of(kept, simulation), refused=refused
    )


def _gateway(chosen: Sequence[Way], workload: Workload) -> list[Way]:
    """The cheapest chosen model through a gateway, unless the plan has a gateway already."""
    if any(way.kind == "gateway" for way in chosen):
        return []
    models = [way for way in chosen if isinstance(way, ModelWay)]
    if not models:
        return []
    plain = simulate(replace(workload, horizon_months=1), models, paths=100, start=monthly_data.start())
    best = plain.cheapest
    inner = next((way for way in models if best is not None and way.name == best.name), None)
    if inner is None:
        return []
    return [through_gateway(inner, name=tr("overview.through_gateway", model=inner.name), terms=GATEWAY_TERMS)]


def _fleet(chosen: Sequence[Way], workload: Workload) -> list[Way]:
    """The cheapest machines of one's own, unless the plan has them already."""
    if any(way.kind == "rent" for way in chosen):
        return []
    found = fleet.cheapest_way(self_host_inputs.read(), workload)
    return [found] if found else []
