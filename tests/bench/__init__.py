"""Benchmarks: ratios of medians against a floor or a peer, measured in turn within one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: `ours` and `peer` in `unit`, and the ratio ours / peer that is wanted.

    The ratio must be at most `goal`, or at least `goal` when `higher_is_better`.
    """

    what: str
    ours: float
    peer: float
    unit: str
    goal: float
    note: str = ""
    higher_is_better: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.peer else float("inf")

    @property
    def passed(self) -> bool:
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
