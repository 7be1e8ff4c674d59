"""Which published measurements are near a configuration, and what do they say about the roofline there?

Kriging in spirit: the log of measured / roofline at near rows, weighted by exp(-distance) and shrunk towards 0 by a
prior weight. No model has a factor of its own; distances are in size, lengths, concurrency, GPU and precision.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.costs.gpu_specs import gpu_specs
from core.costs.gpus import GpuSpec
from core.costs.model_shapes import DATA, model_shape
from core.costs.throughput_roofline import Constants, Point, roofline_tokens_per_s

# Bursts on an old engine and runs held to a latency limit say little about a server under full load.
WEAK_SCENARIOS = frozenset({"server-burst", "mlperf-interactive"})
WEAK_WEIGHT = 0.15
# A row measured on this very configuration outweighs the many that are only like it.
SAME_WEIGHT, SAME_DISTANCE = 20.0, 0.05

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """How far one unit of each difference puts two configurations apart; `prior` is the weight of "no correction"."""

    length: float
    size: float
    mixture: float
    gpu: float
    architecture: float
    precision: float
    gpu_count: float
    concurrency_known: float
    concurrency: float
    prior: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Everything that was fitted, as shipped in data/throughput_fit.json; bands are factors of the estimate."""

    constants: Constants
    distances: Distances
    near_band: tuple[float, float]
    far_band: tuple[float, float]
    near_weight: float


@cache
def shipped_fit() -> Fit:
    """The constants that ship with the program; `python -m core.costs.throughput_fit` refits them."""
    data: Mapping[str, Any] = json.loads((DATA / "throughput_fit.json").read_text(encoding="utf-8"))
    return Fit(
        constants=Constants(**data["constants"]),
        distances=Distances(**data["distances"]),
        near_band=(data["near_band"][0], data["near_band"][1]),
        far_band=(data["far_band"][0], data["far_band"][1]),
        near_weight=data["near_weight"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One published measurement: the configuration, what it gave, and where it was read."""

    point: Point
    output_tokens_per_s: float
    scenario: str
    engine: str
    measured: str
    source: str


@cache
def measured_rows() -> tuple[Measured, ...]:
    """The shipped measurements."""
    specs = gpu_specs()
    with (DATA / "throughput_measured.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_measured(row, specs) for row in csv.DictReader(file))


def _measured(row: Mapping[str, str], specs: Mapping[tuple[str, str], GpuSpec]) -> Measured:
    per_replica = int(row["gpus_per_replica"])
    replicas = int(row["gpu_count"]) // per_replica
    return Measured(
        point=Point(
            shape=model_shape(row["model_id"]),
            spec=specs[row["gpu_model"], row["gpu_form"]],
            precision=row["precision"],
            gpus_per_replica=per_replica,
            replica_count=replicas,
            input_tokens=float(row["input_tokens"]),
            output_tokens=float(row["output_tokens"]),
            concurrency_per_replica=float(row["concurrency"]) / replicas if row["concurrency"] else None,
            memory_gb=float(row["gpu_memory_gb"]) if row["gpu_memory_gb"] else None,
        ),
        output_tokens_per_s=float(row["output_tokens_per_s"]),
        scenario=row["scenario"],
        engine=row["engine"],
        measured=row["measured"],
        source=row["source"],
    )


@dataclass(frozen=True, slots=True)
class Table:
    """Configurations as columns of numbers, so that distances to all of them are one pass."""

    numbers: Floats
    classes: NDArray[np.int64]

    NUMBERS = 6
    """log input, log output, log active, log total, log2 GPUs, log concurrency (nan when unknown)."""


def table_of(points: Sequence[Point]) -> Table:
    """The columns that distances are measured in."""
    numbers = [
        (
            math.log(max(1.0, one.input_tokens)),
            math.log(max(1.0, one.output_tokens)),
            math.log(one.shape.params_active_b),
            math.log(one.shape.params_total_b),
            math.log2(one.gpus_per_replica),
            math.nan if one.concurrency_per_replica is None else math.log(max(0.01, one.concurrency_per_replica)),
        )
        for one in points
    ]
    classes = [
        (
            _code(one.spec.gpu_model),
            _code(one.spec.architecture),
            _code(one.precision),
            int(one.shape.experts > 1),
        )
        for one in points
    ]
    return Table(np.array(numbers, dtype=np.float64), np.array(classes, dtype=np.int64))


@cache
def _code(name: str) -> int:
    """A number that stands for a name within one process; only equality matters."""
    return hash(name)


def distances_to(table: Table, one: Table, scale: Distances) -> Floats:
    """Distance of every row of `table` to the single row of `one`."""
    gap = np.abs(table.numbers - one.numbers[0])
    differs = table.classes != one.classes[0]
    known = np.isnan(table.numbers[:, 5]) != math.isnan(one.numbers[0, 5])
    concurrency = np.where(known, scale.concurrency_known, np.nan_to_num(gap[:, 5]) * scale.concurrency)
    found: Floats = (
        scale.length * (gap[:, 0] + gap[:, 1])
        + scale.size * (gap[:, 2] + 0.5 * gap[:, 3])
        + scale.gpu_count * gap[:, 4]
        + concurrency
        + scale.gpu * differs[:, 0]
        + scale.architecture * differs[:, 1]
        + scale.precision * differs[:, 2]
        + scale.mixture * differs[:, 3]
    )
    return found


def closeness(away: Floats) -> Floats:
    """Weight of rows by their distance: exp(-distance), and far more for the same configuration."""
    found: Floats = np.exp(-away) + SAME_WEIGHT * np.exp(-away / SAME_DISTANCE)
    return found


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The measured rows as numbers, with log(measured / roofline) of each."""

    rows: tuple[Measured, ...]
    table: Table
    residuals: Floats
    trust: Floats


def neighbours(rows: Sequence[Measured], constants: Constants) -> Neighbours:
    """Residuals of rows against the roofline with these constants."""
    residuals = [math.log(row.output_tokens_per_s / roofline_tokens_per_s(row.point, constants)) for row in rows]
    trust = [WEAK_WEIGHT if row.scenario in WEAK_SCENARIOS else 1.0 for row in rows]
    return Neighbours(tuple(rows), table_of([row.point for row in rows]), np.array(residuals), np.array(trust))


@cache
def shipped_neighbours() -> Neighbours:
    """The shipped measurements against the shipped constants."""
    return neighbours(measured_rows(), shipped_fit().constants)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """log factor on the roofline, the weight of the rows behind it, and the nearest row with its distance."""

    log_factor: float
    weight: float
    nearest: Measured
    distance: float


def correction(known: Neighbours, point: Point, scale: Distances) -> Correction:
    """What the measurements near a configuration say."""
    away = distances_to(known.table, table_of([point]), scale)
    weights = closeness(away) * known.trust
    total = float(weights.sum())
    nearest = int(np.argmin(away))
    return Correction(
        log_factor=float(weights @ known.residuals) / (total + scale.prior),
        weight=total,
        nearest=known.rows[nearest],
        distance=float(away[nearest]),
    )
