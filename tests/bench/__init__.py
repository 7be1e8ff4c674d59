"""Benchmarks: ratios of medians against a floor or a peer, measured in turn within one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LITELLM_PYTHON = os.environ.get("BREAKEVEN_BENCH_LITELLM_PYTHON", "")
"""An interpreter that has litellm, for those who want the comparison: too heavy to be installed with the tests."""


def litellm_median_s(code: str) -> float | None:
    """The last number that `code` prints in litellm's own interpreter, without a network; None where there is none."""
    if not LITELLM_PYTHON:
        print("litellm: not measured, BREAKEVEN_BENCH_LITELLM_PYTHON names no interpreter that has it")
        return None
    env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    run = subprocess.run([LITELLM_PYTHON, "-c", code], env=env, capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: `ours` and `peer` in `unit`, and the ratio ours / peer that is wanted.

    The ratio must be at most `goal`, or at least `goal` when `higher_is_better`. None is no goal: a figure to know.
    """

    what: str
    ours: float
    peer: float
    unit: str
    goal: float | None
    note: str = ""
    higher_is_better: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.peer else float("inf")

    @property
    def passed(self) -> bool:
        if self.goal is None:
            return True
        return self.ratio >= self.goal if self.higher_is_better else self.ratio <= self.goal


def interleaved(functions: Mapping[str, Callable[[], object]], rounds: int = 15, warmups: int = 2) -> dict[str, float]:
    """Median seconds of each function, run in turn so that a noisy moment hits all of them."""
    found: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(-warmups, rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if number >= 0:
                found[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in found.items()}
