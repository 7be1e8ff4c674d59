"""How fast is the monthly simulation against plain numpy, and how light is a slider's way to a new chart?"""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np

from core.costs import monthly_outlook
from core.costs.monthly import ModelWay, simulate
from core.costs.tokens import PriceRow, PriceSheet
from core.workload import Workload
from tests.bench import Row, interleaved
from tests.bench.wire import Visit, serving

PATHS, MONTHS, WAYS = 10_000, 36, 5
START = dt.date(2026, 12, 1)
PEAK_MB = 60
MB = 1e6


def _ways() -> list[ModelWay]:
    found = []
    for place in range(WAYS):
        rows = tuple(
            PriceRow(component=name, micro_usd_per_mtok=price * (place + 1))
            for name, price in (("input", 2_000_000), ("cache_read", 500_000), ("output", 8_000_000))
        )
        found.append(ModelWay(name=f"way {place}", sheet=PriceSheet(provider_id="p", model_id=str(place), rows=rows)))
    return found


WORKLOAD = Workload(
    growth_per_month=0.05, seasonality=0.2, retry_share=0.05, cached_share=0.3, horizon_months=MONTHS,
    budget_usd_per_month=1_000.0,
)  # fmt: skip


def _ours_cold() -> object:
    """With the random numbers drawn anew, as a first visitor has it."""
    monthly_outlook.draws.cache_clear()
    return simulate(WORKLOAD, _ways(), start=START, paths=PATHS)


def _ours() -> object:
    return simulate(WORKLOAD, _ways(), start=START, paths=PATHS)


def _floor() -> object:
    """The same figures in bare numpy: draws, volumes, cost of each way, percentiles, chances, totals."""
    generator = np.random.default_rng(1)
    month = np.arange(MONTHS)[:, None]
    volume = (
        50_000
        * 1.05**month
        * np.exp(0.05 * generator.standard_normal((MONTHS, PATHS)) + 0.01 * month * generator.standard_normal(PATHS))
    )
    price = np.exp(0.05 / 12 * month * generator.standard_normal(PATHS))
    found = []
    for place in range(WAYS):
        unit = 0.007 * (place + 1) * np.exp(0.1 * generator.standard_normal(PATHS))
        cost = volume * price * unit
        total = cost.sum(axis=0)
        found.append(
            (
                np.percentile(cost, [10, 50, 90], axis=1),
                (cost > 1_000).mean(axis=1),
                np.percentile(total, [10, 50, 90]),
                (total > 36_000).mean(),
            )
        )
    return found


def _peak_mb() -> float:
    monthly_outlook.draws.cache_clear()
    tracemalloc.start()
    simulate(WORKLOAD, _ways(), start=START, paths=PATHS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / MB


def _page() -> list[Row]:
    """A slider's rerun over the wire: seconds until the script has finished, and bytes sent."""
    folder = Path(tempfile.mkdtemp())
    env = {"BREAKEVEN_DATABASE_URL": f"sqlite:///{folder / 'bench.db'}"}
    with (
        serving(Path(__file__).parent / "apps" / "bare.py", options=("--runner.postScriptGC", "false")) as (bare, _),
        serving("app.py", env) as (ours, _),
    ):
        floor, page = Visit(bare), Visit(ours, page="monthly-cost")
        for visit in (floor, page):
            visit.run()
            visit.run()
        times: dict[str, list[tuple[float, int]]] = {"floor": [], "page": []}
        for number in range(15):
            times["floor"].append(floor.move("slider", 10 + number))
            times["page"].append(page.move("wl_growth_per_month_slider", 1.0 + number))
        assert not page.exceptions
        floor.close()
        page.close()
    medians = {
        name: (statistics.median(one[0] for one in found), statistics.median(one[1] for one in found))
        for name, found in times.items()
    }
    return [
        Row(
            what="slider to finished script, monthly cost page",
            ours=medians["page"][0] * 1e3,
            peer=medians["floor"][0] * 1e3,
            unit="ms",
            goal=1.5,
            note="peer: bare page with a slider, a metric and a chart; server side, without drawing in a browser",
        ),
        Row(
            what="bytes per slider move, monthly cost page",
            ours=medians["page"][1] / 1e3,
            peer=medians["floor"][1] / 1e3,
            unit="kB",
            goal=2.0,
        ),
    ]


def rows() -> list[Row]:
    """The bench table of the simulation and its page."""
    found = interleaved({"ours": _ours, "cold": _ours_cold, "peer": _floor})
    what = f"{PATHS:,} paths x {MONTHS} months x {WAYS} ways"
    return [
        Row(
            what=what, ours=found["ours"] * 1e3, peer=found["peer"] * 1e3, unit="ms", goal=3.0, note="peer: bare numpy"
        ),
        Row(what=f"{what}, first run", ours=found["cold"] * 1e3, peer=found["peer"] * 1e3, unit="ms", goal=3.0),
        Row(what=f"{what}, peak extra memory", ours=_peak_mb(), peer=PEAK_MB, unit="MB", goal=1.0),
        *_page(),
    ]
