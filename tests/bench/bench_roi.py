"""Does the return on investment over 10,000 paths cost little more than the arithmetic it cannot avoid?"""

from __future__ import annotations

import numpy as np

from core.costs.roi import evaluate_roi
from core.costs.roi_paths import path_outcomes
from core.costs.roi_plan import SwitchTerms
from tests.bench import Row, interleaved

PATHS, MONTHS = 10_000, 36
TERMS = SwitchTerms(migration_usd=20_000, fee_usd_per_month=29, annual_discount_rate=0.08)


def rows() -> list[Row]:
    """Outcomes of all paths against their numpy floor, and one report against the rates of its library alone."""
    generator = np.random.default_rng(7)
    baseline = generator.lognormal(8, 0.4, (MONTHS, PATHS))
    new = generator.lognormal(7, 0.4, (MONTHS, PATHS))
    factors = 1.08 ** (-np.arange(1, MONTHS + 1) / 12)

    def floor() -> object:
        """Savings, running sum, whether each month is paid back, and NPV: no percentiles, no interpolation."""
        savings = baseline - new - TERMS.fee_usd_per_month
        running = np.cumsum(savings, axis=0)
        paid = running >= TERMS.migration_usd
        return factors @ savings, np.argmax(paid, axis=0), paid[-1].mean()

    times = interleaved({"ours": lambda: path_outcomes(baseline, new, TERMS), "peer": floor})
    return [
        Row(
            what=f"ROI of {PATHS:,} paths x {MONTHS} months / its numpy floor",
            ours=times["ours"] * 1e3,
            peer=times["peer"] * 1e3,
            unit="ms",
            goal=3.0,
            note=f"one report of 1,200 months: {_report_ms():.1f} ms",
        )
    ]


def _report_ms() -> float:
    flows = [-100_000.0] + [3_000.0] * 600 + [-500.0] * 600
    return interleaved({"ours": lambda: evaluate_roi(flows, 0.08)}, rounds=5)["ours"] * 1e3
