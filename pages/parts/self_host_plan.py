"""What does "rent or call" compare? The cheapest fleet and the cheapest API for the workload, and where they cross."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from core.catalog.hosts import hosts_of
from core.costs.api_bills import ApiBill, api_bill
from core.costs.conventions import Floats
from core.costs.model_shapes import model_shapes
from core.costs.selfhost import Columns, Machine, naive_break_even_requests
from core.costs.selfhost_break_even import BreakEven, cheapest_break_even, cheapest_usd
from core.costs.selfhost_options import FleetOptions
from core.costs.selfhost_ranking import RankedOffer, Ranking, cheapest_dated, ranked, speed_of
from core.costs.selfhost_replicas import OwnSpeed
from core.costs.throughput import ModelDoesNotFitError
from core.costs.throughput_latency import ReplySpeed, reply_speed
from core.costs.tokens import PriceSheet
from core.workload import Workload
from pages.parts import fleet
from pages.parts.fleet_inputs import WELL_KNOWN, Choices
from pages.parts.state import catalog, prices_version

KEPT_HOSTS, KEPT_PLANS = 64, 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Both ways; a plan equals itself alone.

    `hosts` are the bills of those who sell the open model, the cheapest first; `api` is compared with. `ranked` are all
    offers by cost, `best` the cheapest whose price has a date. `even` is where the cheapest fleet of each volume
    crosses `api`, `even_low` and `even_high` with every speed at the fast and the slow end of its band; `even_undated`
    counts undated prices too, None where there are none beside dated ones.
    """

    hosts: tuple[ApiBill, ...]
    ranked: Ranking
    api: ApiBill | None
    best: RankedOffer | None
    own: OwnSpeed | None
    candidates: Candidates
    even: BreakEven | None = None
    even_low: BreakEven | None = None
    even_high: BreakEven | None = None
    even_undated: BreakEven | None = None
    naive_requests: float | None = None

    @property
    def machine(self) -> Machine | None:
        return self.best.fleet.machine if self.best else None

    @property
    def winner(self) -> Machine | None:
        """The machine whose fleet makes the lasting break-even."""
        lasting = self.even.lasting if self.even else None
        return self.candidates.machine(lasting.choice) if lasting else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The machines that may be called the cheapest: places among the options, and their columns."""

    options: FleetOptions
    places: tuple[int, ...]
    columns: Columns

    def machine(self, choice: int) -> Machine:
        """The machine in a place among the candidates."""
        return self.options.machine(self.places[choice])

    def cheapest_usd(self, workload: Workload, volume: Floats) -> tuple[Floats, list[int]]:
        """Monthly USD of the cheapest fleet for each volume, and the place of its machine."""
        usd, choices = cheapest_usd(self.columns, workload, self.options.operations, volume)
        return usd, choices.tolist()


def candidates(options: FleetOptions) -> Candidates:
    """The options with dated prices, all where none has a date."""
    dated = [one for one in options.offers if one.as_of is not None]
    places = options.places_of(dated or options.offers)
    return Candidates(options=options, places=tuple(places.tolist()), columns=options.columns.taken(places))


def api_bills(
    keys: Iterable[str], sheets: Mapping[str, PriceSheet], workload: Workload, now: dt.datetime
) -> list[ApiBill]:
    """The workload's bill on each model that has a price now, the cheapest first."""
    bills = [api_bill(sheets[key], workload, now) for key in keys if key in sheets]
    priced = [one for one in bills if one is not None and one.usd_per_request > 0]
    return sorted(priced, key=lambda one: one.usd_per_month)


@lru_cache(maxsize=KEPT_HOSTS)
def _hosts(model_id: str, _prices: tuple[object, ...]) -> list[str]:
    return hosts_of(model_id, catalog().llm.sheets())


def make_plan(choices: Choices, workload: Workload) -> Plan:
    """Ranks offers and APIs and finds where they cross; a plan is kept while nothing changes that it rests on.

    Thresholds, wishes, language, an opened table change no plan. Prices are those of this minute.
    """
    minute = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    return _make_plan(choices, workload, prices_version(), minute)


@lru_cache(maxsize=KEPT_PLANS)
def _make_plan(choices: Choices, workload: Workload, prices: tuple[object, ...], _minute: dt.datetime) -> Plan:
    now = dt.datetime.now(dt.UTC)
    sheets = catalog().llm.sheets()
    hosts = api_bills(_hosts(choices.model_id, prices), sheets, workload, now)
    apis = hosts or api_bills(WELL_KNOWN, sheets, workload, now)
    if choices.api_model:
        apis = api_bills([choices.api_model], sheets, workload, now)
    own = fleet.own_speed(choices, workload)
    options = fleet.options_for(choices, workload, own=own)
    offers = ranked(options, workload)
    plan = Plan(
        hosts=tuple(hosts), ranked=offers, api=apis[0] if apis else None, best=cheapest_dated(offers), own=own,
        candidates=candidates(options),
    )  # fmt: skip
    return _crossed(plan, workload)


def _crossed(plan: Plan, workload: Workload) -> Plan:
    machine = plan.machine
    if machine is None or plan.api is None:
        return plan
    found, usd = plan.candidates, plan.api.usd_per_request
    places, operations = list(found.places), found.options.operations
    fast, slow = (found.options.speed_factors(end)[places] for end in ("high", "low"))
    even, low, high = (
        cheapest_break_even(found.columns.times(speed=factor), workload, operations, usd)
        for factor in (1.0, fast, slow)
    )
    every, undated = found.options.columns, None
    if len(found.columns) < len(every):
        undated = cheapest_break_even(every, workload, operations, usd)
    plan = replace(plan, even=even, even_low=low, even_high=high, even_undated=undated)
    naive = naive_break_even_requests(plan.winner or machine, workload, usd)
    return replace(plan, naive_requests=naive)


def columns_for(plan: Plan, choices: Choices, workload: Workload, other: Workload) -> Columns:
    """The candidates' columns at another workload's lengths; a measured speed moves as its estimate does."""
    own, best = plan.own, plan.best
    if own is not None and best is not None and best.offer.gpu_model == own.gpu_model:
        shape = model_shapes()[choices.model_id]
        then, now = (speed_of(best, shape, choices.precision, load) for load in (other, workload))
        if then and now:
            own = replace(own, tokens_per_s=own.tokens_per_s * then / now)
    return candidates(fleet.options_for(choices, other, own=own)).columns


def peak_reply(plan: Plan, choices: Choices, workload: Workload) -> ReplySpeed | None:
    """What one user of the cheapest fleet sees at the peak, its spare replicas out of service."""
    if plan.best is None:
        return None
    best = plan.best
    busy = max(1, best.fleet.replica_count - best.operations.redundancy)
    is_own = best.estimate.basis_kind == "own_measurement"
    try:
        return reply_speed(
            model_shapes()[choices.model_id], best.offer.gpu_model, best.offer.gpu_form,
            gpus_per_replica=best.estimate.gpus_per_replica, precision=choices.precision,
            input_tokens=workload.input_tokens, output_tokens=workload.output_tokens,
            load_tokens_per_s=best.fleet.peak_tokens_per_s / busy,
            measured_tokens_per_s=best.estimate.output_tokens_per_s if is_own else None,
        )  # fmt: skip
    except ModelDoesNotFitError:
        return None  # measured by the reader where the estimate says that it does not fit
