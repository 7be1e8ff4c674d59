"""What does serving a model on rented GPUs cost a month, everything counted, and from which volume is it cheaper?

Capacity is bought in whole replicas of whole machines, so cost is a step function of volume: it is scanned, never
divided. Utilization is a result of the load. The lines counted are those of a cloud's bill plus what it leaves out:
spare replicas, idle hours, interruptions, cold starts and staff.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.costs.conventions import HOURS_PER_MONTH, MONTHS_PER_YEAR, Floats
from core.costs.selfhost_terms import Machine, Operations, Prices, prices_of
from core.money import TOKENS_PER_MTOK
from core.workload import Workload

__all__ = [
    "LINES", "Columns", "Counts", "Fleet", "Machine", "Operations", "columns_of", "counts", "fleet_for", "fleets_of",
    "monthly_cost_usd", "monthly_lines_usd", "naive_break_even_requests", "total_usd",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What must be rented for a volume, and its monthly cost by line.

    `utilization` is the share (0 to 1) of all paid GPU hours that serves: spare replicas, GPUs that make no replica and
    reserved hours without a schedule lower it.
    """

    machine: Machine
    replica_count: int
    machine_count: int
    peak_tokens_per_s: float
    utilization: float
    lines_usd: Mapping[str, float]
    usd_per_mtok: float

    @property
    def gpu_count(self) -> int:
        """GPUs of all machines."""
        return self.machine_count * self.machine.gpu_count

    @property
    def tco_usd_per_month(self) -> float:
        """Everything, per month."""
        return sum(self.lines_usd.values())


LINES = ("gpus", "cold_starts", "storage", "egress", "observability", "staff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Machines as columns, so that many of them, or many volumes on one, are computed at once."""

    tokens_per_s_per_replica: Floats
    machines_per_replica: Floats
    gpus: Floats
    gpus_per_replica: Floats
    prices: Prices

    def __len__(self) -> int:
        return len(self.gpus)

    def taken(self, places: NDArray[np.intp]) -> Columns:
        """The columns at these places, in their order."""
        return Columns(
            tokens_per_s_per_replica=self.tokens_per_s_per_replica[places],
            machines_per_replica=self.machines_per_replica[places],
            gpus=self.gpus[places],
            gpus_per_replica=self.gpus_per_replica[places],
            prices=self.prices.taken(places),
        )

    def times(self, *, speed: float | Floats = 1.0, price: float = 1.0) -> Columns:
        """The same machines with every speed and every price multiplied."""
        tokens_per_s = self.tokens_per_s_per_replica * speed
        return replace(self, tokens_per_s_per_replica=tokens_per_s, prices=self.prices.times(price))


def columns_of(machines: Sequence[Machine], operations: Operations) -> Columns:
    """The columns of some machines, bought as `operations` says."""
    rows = [
        (one.tokens_per_s_per_replica, one.machines_per_replica, one.gpu_count, one.gpus_per_replica)
        for one in machines
    ]
    speeds, shares, gpus, per_replica = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    usd = [(one.on_demand_usd_per_hour, one.reserved_usd_per_hour, one.spot_usd_per_hour) for one in machines]
    return Columns(
        tokens_per_s_per_replica=speeds,
        machines_per_replica=shares,
        gpus=gpus,
        gpus_per_replica=per_replica,
        prices=prices_of(usd, operations),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Replicas, machines and paid machine-hours a month for volumes of requests.

    Reserved hours are all hours of the month; flexible ones those of the schedule, less what is switched off.
    """

    replicas: Floats
    machines: Floats
    reserved_hours: Floats
    flexible_hours: Floats
    mean_tokens_per_s: Floats


def counts(columns: Columns, workload: Workload, operations: Operations, requests_per_month: Floats) -> Counts:
    """How much must run for volumes of requests; peak is the mean times the workload's peak-to-average.

    A request without output takes the capacity of one token, for its prompt is read all the same.
    """
    seconds = operations.hours_per_month * 3600
    mean = requests_per_month * (1 + workload.retry_share) * max(1, workload.output_tokens) / seconds
    capacity = columns.tokens_per_s_per_replica * operations.load_factor
    # Rounding must not buy a machine for the last 1e-9 of a replica.
    peak_need = np.maximum(1.0, np.ceil(mean * workload.peak_to_average / capacity - 1e-9))
    mean_need = np.maximum(1.0, np.ceil(mean / capacity - 1e-9))
    replicas = peak_need + operations.redundancy
    running_replicas = replicas - operations.autoscale_share * (peak_need - mean_need)
    machines = np.ceil(replicas * columns.machines_per_replica - 1e-9)
    running = np.ceil(running_replicas * columns.machines_per_replica - 1e-9)
    # A reservation is not switched off: autoscaling saves on the others, as far as there are any.
    reserved = columns.prices.reserved_share * machines
    return Counts(
        replicas=replicas,
        machines=machines,
        reserved_hours=reserved * HOURS_PER_MONTH,
        flexible_hours=np.maximum(0.0, running - reserved) * operations.hours_per_month,
        mean_tokens_per_s=mean,
    )


def monthly_lines_usd(
    machine: Machine, workload: Workload, operations: Operations, requests_per_month: Floats
) -> dict[str, Floats]:
    """Monthly USD by line for volumes of requests (any shape); `LINES` names them."""
    columns = columns_of([machine], operations)
    found = counts(columns, workload, operations, requests_per_month)
    return _lines_usd(columns, found, operations, requests_per_month * (1 + workload.retry_share))


def _lines_usd(
    columns: Columns, found: Counts, operations: Operations, attempts_per_month: Floats
) -> dict[str, Floats]:
    """What is retried is sent again: attempts, not requests, pay for traffic."""
    one = np.ones_like(attempts_per_month)
    cold_hours = operations.cold_starts_per_month * operations.cold_start_minutes / 60
    prices = columns.prices
    flexible_machines = found.machines * (1 - prices.reserved_share)
    return {
        "gpus": found.reserved_hours * prices.reserved_usd + found.flexible_hours * prices.flexible_usd,
        "cold_starts": flexible_machines * cold_hours * prices.flexible_usd,
        "storage": one * operations.storage_gb * operations.storage_usd_per_gb_month,
        "egress": attempts_per_month * operations.egress_kb_per_request / 1e6 * operations.egress_usd_per_gb,
        "observability": one * operations.observability_usd_per_month,
        "staff": one * operations.staff_fte * operations.salary_usd_per_year / MONTHS_PER_YEAR,
    }


def total_usd(columns: Columns, workload: Workload, operations: Operations, requests_per_month: Floats) -> Floats:
    """Monthly USD of all lines together, machine by machine or volume by volume."""
    found = counts(columns, workload, operations, requests_per_month)
    attempts = requests_per_month * (1 + workload.retry_share)
    gpus, cold_starts, *others = _lines_usd(columns, found, operations, attempts).values()
    total: Floats = gpus + cold_starts + sum(others)
    return total


def monthly_cost_usd(
    machine: Machine, workload: Workload, operations: Operations, requests_per_month: Floats
) -> Floats:
    """Monthly USD of the fleet for volumes of requests: the step function that is compared with an API's bill."""
    volume = np.asarray(requests_per_month, dtype=np.float64)
    return total_usd(columns_of([machine], operations), workload, operations, volume)


def fleet_for(machine: Machine, workload: Workload, operations: Operations) -> Fleet:
    """The fleet that serves the workload's first month at its peak, and what it costs."""
    return fleets_of([machine], columns_of([machine], operations), workload, operations)[0]


def fleets_of(machines: Sequence[Machine], columns: Columns, workload: Workload, operations: Operations) -> list[Fleet]:
    """The fleet of each machine, as `fleet_for`, from their columns; many at once take a tenth of the time."""
    volume = np.full(len(machines), float(workload.requests_per_month))
    found = counts(columns, workload, operations, volume)
    lines = _lines_usd(columns, found, operations, volume)
    busy = found.mean_tokens_per_s / columns.tokens_per_s_per_replica * columns.gpus_per_replica
    paid_hours = (found.reserved_hours + found.flexible_hours) * columns.gpus
    mtok = workload.tokens_per_month / TOKENS_PER_MTOK
    rows = zip(
        machines, found.replicas.tolist(), found.machines.tolist(), found.mean_tokens_per_s.tolist(),
        (busy * operations.hours_per_month / paid_hours).tolist(),
        zip(*(line.tolist() for line in lines.values()), strict=True), strict=True,
    )  # fmt: skip
    return [
        Fleet(
            machine=machine,
            replica_count=int(replicas),
            machine_count=int(count),
            peak_tokens_per_s=mean * workload.peak_to_average,
            utilization=utilization,
            lines_usd=dict(zip(lines, usd, strict=True)),
            usd_per_mtok=sum(usd) / mtok,
        )
        for machine, replicas, count, mean, utilization, usd in rows
    ]


def naive_break_even_requests(
    machine: Machine, workload: Workload, api_usd_per_request: float, *, hours_per_month: float = HOURS_PER_MONTH
) -> float | None:
    """Requests per month by what public calculators say: the bill of one replica always on over the API's per request.

    None for a free API. No peak, no spare replica, no staff: shown beside the break-even, never instead of it.
    """
    if api_usd_per_request <= 0:
        return None
    return machine.machines_per_replica * machine.on_demand_usd_per_hour * hours_per_month / api_usd_per_request
