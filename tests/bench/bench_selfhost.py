"""How fast are offers ranked and break-evens scanned?"""

from __future__ import annotations

import datetime as dt
import tempfile

import numpy as np

from core.catalog import open_catalog
from core.costs.selfhost import Machine, Operations
from core.costs.selfhost_break_even import break_even, cheapest_break_even
from core.costs.selfhost_options import fleet_options
from core.costs.selfhost_ranking import rank_offers
from core.workload import Workload
from tests.bench import Row, interleaved

MACHINE = Machine(
    name="8 x H100", gpu_model="H100-80GB", gpu_count=8, on_demand_usd_per_hour=20.0, gpus_per_replica=2,
    tokens_per_s_per_replica=1_500.0,
)  # fmt: skip


def rows() -> list[Row]:
    """Milliseconds against the limits that were set; the peer column is the limit."""
    with tempfile.TemporaryDirectory() as folder, open_catalog(f"sqlite:///{folder}/bench.db") as catalog:
        offers = catalog.gpu_offers()
    workload, operations = Workload(requests_per_month=5_000_000), Operations()
    today = dt.datetime.now(dt.UTC).date()
    every = fleet_options(offers, "llama-3.3-70b", workload, operations, today=today).columns
    grid = np.geomspace(1e4, 1e9, 2_001)
    found = interleaved(
        {
            "rank": lambda: rank_offers(offers, "llama-3.3-70b", workload, operations, today=today),
            "envelope": lambda: cheapest_break_even(every, workload, operations, 0.007, low=1e4, high=1e9),
            "scan": lambda: break_even(MACHINE, workload, operations, 0.007, low=1e4, high=1e9),
            "floor": lambda: np.ceil(grid * 3e-7) * 14_600 - grid * 0.007,
        }
    )
    note = f"limit; numpy floor of the scan {found['floor'] * 1e3:.3f} ms"
    return [
        Row(what=f"rank {len(offers)} offers by cost per token", ours=found["rank"] * 1e3, peer=50, unit="ms", goal=1.0,
            note="limit"),
        Row(what=f"break-even of the cheapest of {len(every)} machines over 5 decades", ours=found["envelope"] * 1e3,
            peer=20, unit="ms", goal=1.0, note="limit"),
        Row(what="break-even of one machine over 5 decades", ours=found["scan"] * 1e3, peer=20, unit="ms", goal=1.0,
            note=note),
    ]  # fmt: skip
