"""What does serving a model on rented GPUs cost a month, everything counted, and from which volume is it cheaper?

Capacity is bought in whole replicas of whole machines, so cost is a step function of volume: it is scanned, never
divided. Utilization is a result of the load. See PLANNING, "Cost of self-hosting".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.money import TOKENS_PER_MTOK
from core.workload import Workload

Floats = NDArray[np.float64]

# Providers bill 730 hours a month (365 x 24 / 12).
HOURS_PER_MONTH = 730
SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600


def _require(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{field} is {value!r}: give a number from {low:g} to {high:g}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """How a fleet is run. Shares are fractions; staff is `staff_fte` people at `salary_usd_per_year` with all on-costs.

    `load_factor` is the part of the estimated throughput one plans to use at the peak; `redundancy` the replicas
    beyond the peak (N+1 is 1); `autoscale_share` how much of the gap between peak and mean need is switched off when
    idle; `hours_per_month` below 730 a schedule. The purchase shares add up to 1; spot loses `interruption_share`
    of its work. Raises ValueError naming the field.
    """

    load_factor: float = 0.7
    redundancy: int = 1
    hours_per_month: float = HOURS_PER_MONTH
    autoscale_share: float = 0.0
    reserved_share: float = 0.0
    spot_share: float = 0.0
    interruption_share: float = 0.1
    storage_gb: float = 500.0
    storage_usd_per_gb_month: float = 0.1
    egress_kb_per_request: float = 4.0
    egress_usd_per_gb: float = 0.09
    observability_usd_per_month: float = 100.0
    staff_fte: float = 0.25
    salary_usd_per_year: float = 90_000.0
    cold_starts_per_month: float = 4.0
    cold_start_minutes: float = 10.0

    def __post_init__(self) -> None:
        _require("load_factor", self.load_factor, 0.01, 1)
        _require("redundancy", self.redundancy, 0, 100)
        _require("hours_per_month", self.hours_per_month, 1, HOURS_PER_MONTH)
        for name in ("autoscale_share", "reserved_share", "spot_share"):
            _require(name, getattr(self, name), 0, 1)
        _require("interruption_share", self.interruption_share, 0, 0.9)
        if self.reserved_share + self.spot_share > 1 + 1e-9:
            raise ValueError("reserved_share and spot_share add up to more than 1: lower one of them.")
        if self.spot_share >= 1 - 1e-9 and self.redundancy == 0:
            raise ValueError("redundancy is 0 with spot only: an interruption would stop the service, give at least 1.")
        for name in (
            "storage_gb", "storage_usd_per_gb_month", "egress_kb_per_request", "egress_usd_per_gb", "staff_fte",
            "observability_usd_per_month", "salary_usd_per_year", "cold_starts_per_month", "cold_start_minutes",
        ):  # fmt: skip
            _require(name, getattr(self, name), 0, 1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A rentable machine and what a replica on it gives: USD per hour of the whole instance, output tokens/s.

    Reserved and spot prices None mean there is no such offer; those hours are then paid on demand.
    """

    name: str
    gpu_model: str
    gpu_count: int
    on_demand_usd_per_hour: float
    gpus_per_replica: int
    tokens_per_s_per_replica: float
    reserved_usd_per_hour: float | None = None
    spot_usd_per_hour: float | None = None

    def __post_init__(self) -> None:
        _require("gpu_count", self.gpu_count, 1, 10_000)
        _require("gpus_per_replica", self.gpus_per_replica, 1, 10_000)
        _require("on_demand_usd_per_hour", self.on_demand_usd_per_hour, 0, 1e7)
        _require("tokens_per_s_per_replica", self.tokens_per_s_per_replica, 1e-9, 1e12)

    @property
    def machines_per_replica(self) -> float:
        """Machines one replica takes: a whole number above one, or a part of one that holds several replicas."""
        per_machine = self.gpu_count // self.gpus_per_replica
        return 1 / per_machine if per_machine else math.ceil(self.gpus_per_replica / self.gpu_count)

    def usd_per_hour(self, operations: Operations) -> float:
        """Mean USD per machine-hour over the purchase mix; spot hours include the work that interruptions repeat."""
        on_demand = self.on_demand_usd_per_hour
        reserved = self.reserved_usd_per_hour if self.reserved_usd_per_hour is not None else on_demand
        spot = on_demand
        if self.spot_usd_per_hour is not None:
            spot = self.spot_usd_per_hour / (1 - operations.interruption_share)
        rest = 1 - operations.reserved_share - operations.spot_share
        return rest * on_demand + operations.reserved_share * reserved + operations.spot_share * spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What must be rented for a volume, and its monthly cost by line; utilization is load over paid capacity."""

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
class Counts:
    """Replicas and machines for an array of volumes (requests per month); `paid_machines` may be fractional."""

    replicas: Floats
    machines: Floats
    paid_machines: Floats
    mean_tokens_per_s: Floats


def counts(machine: Machine, workload: Workload, operations: Operations, requests_per_month: Floats) -> Counts:
    """How much must run for volumes of requests; peak is the mean times the workload's peak-to-average."""
    speed, share = machine.tokens_per_s_per_replica, machine.machines_per_replica
    return _counts(speed, share, workload, operations, requests_per_month)


def _counts(
    tokens_per_s: Floats | float,
    machines_per_replica: Floats | float,
    workload: Workload,
    operations: Operations,
    requests_per_month: Floats,
) -> Counts:
    seconds = operations.hours_per_month * 3600
    mean = requests_per_month * (1 + workload.retry_share) * workload.output_tokens / seconds
    capacity = tokens_per_s * operations.load_factor
    # Rounding must not buy a machine for the last 1e-9 of a replica.
    peak_need = np.maximum(1.0, np.ceil(mean * workload.peak_to_average / capacity - 1e-9))
    mean_need = np.maximum(1.0, np.ceil(mean / capacity - 1e-9))
    replicas = peak_need + operations.redundancy
    paid_replicas = replicas - operations.autoscale_share * (peak_need - mean_need)
    return Counts(
        replicas=replicas,
        machines=np.ceil(replicas * machines_per_replica - 1e-9),
        paid_machines=np.ceil(paid_replicas * machines_per_replica - 1e-9),
        mean_tokens_per_s=mean,
    )


def monthly_lines_usd(
    machine: Machine, workload: Workload, operations: Operations, requests_per_month: Floats
) -> dict[str, Floats]:
    """Monthly USD by line for volumes of requests (any shape); `LINES` names them."""
    found = counts(machine, workload, operations, requests_per_month)
    return _lines_usd(found, machine.usd_per_hour(operations), operations, requests_per_month)


def _lines_usd(
    found: Counts, usd_per_hour: Floats | float, operations: Operations, requests_per_month: Floats
) -> dict[str, Floats]:
    one = np.ones_like(requests_per_month)
    cold_hours = operations.cold_starts_per_month * operations.cold_start_minutes / 60
    return {
        "gpus": found.paid_machines * operations.hours_per_month * usd_per_hour,
        "cold_starts": found.machines * cold_hours * usd_per_hour,
        "storage": one * operations.storage_gb * operations.storage_usd_per_gb_month,
        "egress": requests_per_month * operations.egress_kb_per_request / 1e6 * operations.egress_usd_per_gb,
        "observability": one * operations.observability_usd_per_month,
        "staff": one * operations.staff_fte * operations.salary_usd_per_year / 12,
    }


def monthly_cost_usd(
    machine: Machine, workload: Workload, operations: Operations, requests_per_month: Floats
) -> Floats:
    """Monthly USD of the fleet for volumes of requests: the step function that is compared with an API's bill."""
    lines = monthly_lines_usd(machine, workload, operations, np.asarray(requests_per_month, dtype=np.float64))
    total: Floats = np.sum(list(lines.values()), axis=0)
    return total


def fleet_for(machine: Machine, workload: Workload, operations: Operations) -> Fleet:
    """The fleet that serves the workload's first month at its peak, and what it costs."""
    return fleets_for([machine], workload, operations)[0]


def fleets_for(machines: Sequence[Machine], workload: Workload, operations: Operations) -> list[Fleet]:
    """The fleet of each machine, as `fleet_for`; many at once take a tenth of the time."""
    volume = np.full(len(machines), float(workload.requests_per_month))
    speeds = np.array([machine.tokens_per_s_per_replica for machine in machines])
    shares = np.array([machine.machines_per_replica for machine in machines])
    hourly = np.array([machine.usd_per_hour(operations) for machine in machines])
    found = _counts(speeds, shares, workload, operations, volume)
    lines = _lines_usd(found, hourly, operations, volume)
    mtok = workload.tokens_per_month / TOKENS_PER_MTOK
    rows = zip(
        machines, found.replicas.tolist(), found.machines.tolist(), found.mean_tokens_per_s.tolist(),
        zip(*(line.tolist() for line in lines.values()), strict=True), strict=True,
    )  # fmt: skip
    return [
        Fleet(
            machine=machine,
            replica_count=int(replicas),
            machine_count=int(count),
            peak_tokens_per_s=mean * workload.peak_to_average,
            utilization=mean / (replicas * machine.tokens_per_s_per_replica),
            lines_usd=dict(zip(lines, usd, strict=True)),
            usd_per_mtok=sum(usd) / mtok,
        )
        for machine, replicas, count, mean, usd in rows
    ]


def naive_break_even_requests(
    machine: Machine, workload: Workload, api_usd_per_request: float, *, gpu_hours: float = HOURS_PER_MONTH
) -> float | None:
    """What public calculators say: the bill of one replica always on, divided by the API's price per request."""
    if api_usd_per_request <= 0:
        return None
    return machine.machines_per_replica * machine.on_demand_usd_per_hour * gpu_hours / api_usd_per_request
