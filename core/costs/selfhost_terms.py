"""How is a fleet of rented machines run and bought, and what is one of its machines?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.costs.conventions import HOURS_PER_MONTH, Floats
from core.costs.limits import require_whole, require_within


class SpotAloneError(ValueError):
    """Spot machines only, and no spare replica: what is taken back would stop the service."""

    def __init__(self) -> None:
        super().__init__("redundancy is 0 with spot only: an interruption would stop the service, give at least 1.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """How a fleet is run. Shares are fractions; staff is `staff_fte` people at `salary_usd_per_year` with all on-costs.

    `load_factor` is the part of the estimated throughput one plans to use at the peak; `redundancy` the replicas
    beyond the peak (N+1 is 1); `autoscale_share` how much of the gap between peak and mean need is switched off when
    idle; `hours_per_month` below `HOURS_PER_MONTH` a schedule. Shares of the machines are reserved (paid all hours of
    the month, whether they run or not) and spot (`interruption_share` of whose work is lost and repeated); the rest is
    paid on demand.

    Raises ValueError naming the field: `load_factor` from 0.01, `interruption_share` to 0.9, every other share from 0
    to 1, and reserved and spot together at most 1; `redundancy` whole, to 100, and at least 1 with spot alone;
    `hours_per_month` from 1; all others from 0.
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
        require_within("load_factor", self.load_factor, 0.01, 1)
        require_whole("redundancy", self.redundancy, 0, 100)
        require_within("hours_per_month", self.hours_per_month, 1, HOURS_PER_MONTH)
        for name in ("autoscale_share", "reserved_share", "spot_share"):
            require_within(name, getattr(self, name), 0, 1)
        require_within("interruption_share", self.interruption_share, 0, 0.9)
        if self.reserved_share + self.spot_share > 1 + 1e-9:
            raise ValueError("reserved_share and spot_share add up to more than 1: lower one of them.")
        if self.spot_share >= 1 - 1e-9 and self.redundancy == 0:
            raise SpotAloneError
        for name in (
            "storage_gb", "storage_usd_per_gb_month", "egress_kb_per_request", "egress_usd_per_gb", "staff_fte",
            "observability_usd_per_month", "salary_usd_per_year", "cold_starts_per_month", "cold_start_minutes",
        ):  # fmt: skip
            require_within(name, getattr(self, name), 0, 1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A rentable machine and what a replica on it gives: USD per hour of the whole instance, output tokens/s.

    Reserved and spot prices None mean there is no such offer; those hours are then paid on demand. Raises ValueError
    naming the field: a count of GPUs that is not whole or outside 1 to 10,000, a price outside 0 to 1e7, no speed.
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
        require_whole("gpu_count", self.gpu_count, 1, 10_000)
        require_whole("gpus_per_replica", self.gpus_per_replica, 1, 10_000)
        for name in ("on_demand_usd_per_hour", "reserved_usd_per_hour", "spot_usd_per_hour"):
            if name == "on_demand_usd_per_hour" or getattr(self, name) is not None:
                require_within(name, getattr(self, name), 0, 1e7)
        require_within("tokens_per_s_per_replica", self.tokens_per_s_per_replica, 1e-9, 1e12)

    @property
    def machines_per_replica(self) -> float:
        """Machines one replica takes: a whole number above one, or a part of one that holds several replicas."""
        per_machine = self.gpu_count // self.gpus_per_replica
        return 1 / per_machine if per_machine else math.ceil(self.gpus_per_replica / self.gpu_count)

    def at_prices_times(self, factor: float) -> Machine:
        """The same machine with every price multiplied."""
        return replace(
            self,
            on_demand_usd_per_hour=self.on_demand_usd_per_hour * factor,
            reserved_usd_per_hour=None if self.reserved_usd_per_hour is None else self.reserved_usd_per_hour * factor,
            spot_usd_per_hour=None if self.spot_usd_per_hour is None else self.spot_usd_per_hour * factor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What machines cost the way they are bought, as columns: USD per machine-hour, and the share that is reserved.

    `flexible_usd` is the mean of those on demand and on spot, which are paid only while they run.
    """

    flexible_usd: Floats
    reserved_usd: Floats
    reserved_share: Floats

    def taken(self, places: NDArray[np.intp]) -> Prices:
        """The prices at these places, in their order."""
        return Prices(
            flexible_usd=self.flexible_usd[places],
            reserved_usd=self.reserved_usd[places],
            reserved_share=self.reserved_share[places],
        )

    def times(self, factor: float) -> Prices:
        """The same prices multiplied."""
        return replace(self, flexible_usd=self.flexible_usd * factor, reserved_usd=self.reserved_usd * factor)


def prices_of(rows: Sequence[tuple[float, float | None, float | None]], operations: Operations) -> Prices:
    """Prices on demand, reserved and on spot (None: no such offer, its share is then paid on demand), bought as a mix.

    Spot hours include the work that interruptions repeat.
    """
    on_demand, reserved, spot = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    reserved_share = np.where(np.isnan(reserved), 0.0, operations.reserved_share)
    spot_share = np.where(np.isnan(spot), 0.0, operations.spot_share)
    part = spot_share / np.maximum(1e-12, 1 - reserved_share)
    spot_usd = np.nan_to_num(spot) / (1 - operations.interruption_share)
    return Prices(
        flexible_usd=part * spot_usd + (1 - part) * on_demand,
        reserved_usd=np.nan_to_num(reserved),
        reserved_share=reserved_share,
    )
