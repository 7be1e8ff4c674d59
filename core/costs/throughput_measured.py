"""What was measured of a model on a GPU at a precision, and what does that say about the roofline there?

The log of measured / roofline, averaged over the rows of the same model, GPU and precision, moves the estimate by
`MEASURED_SHARE` of it: the engine decides more than the hardware, and the reader's is seldom the one that was measured.
Lengths and concurrency do not enter, so the estimate keeps the roofline's order in them. No model has a factor of its
own.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from core.costs.facts import DATA
from core.costs.gpu_specs import gpu_specs
from core.costs.gpus import GpuSpec
from core.costs.model_shapes import ModelShape, model_shape, wider_precisions
from core.costs.throughput_roofline import Constants, ModelDoesNotFitError, Point, roofline_tokens_per_s

# Bursts on an old engine and runs held to a latency limit say little about a server under full load.
WEAK_SCENARIOS = frozenset({"server-burst", "mlperf-interactive"})
WEAK_WEIGHT = 0.15

# On rows of publishers left out of the fit, any share above 0 is a little worse than none; on rows of publishers that
# are in it, 0.3 is as good as all. A third serves both.
MEASURED_SHARE = 0.3

# Releases of one architecture differ by less in size (embeddings).
SAME_SIZE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Everything that was fitted, as shipped in data/throughput_fit.json; `band` holds factors of the estimate."""

    constants: Constants
    band: tuple[float, float]


@cache
def shipped_fit() -> Fit:
    """The constants that ship with the program; `python -m core.costs.throughput_fit` refits them."""
    data: Mapping[str, Any] = json.loads((DATA / "throughput_fit.json").read_text(encoding="utf-8"))
    return Fit(constants=Constants(**data["constants"]), band=(data["band"][0], data["band"][1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One published measurement: the configuration, what it gave, when (a date or a month as published) and where."""

    point: Point
    output_tokens_per_s: float
    scenario: str
    engine: str
    measured_on: str
    source: str

    @property
    def publisher(self) -> str:
        """Who published it: rows of one publisher share an engine, a laboratory and a way to count."""
        return self.source.split()[0].split("/")[0]

    @property
    def weight(self) -> float:
        """How much it counts in the fit and in a correction, 0 to 1."""
        return WEAK_WEIGHT if self.scenario in WEAK_SCENARIOS else 1.0


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
        measured_on=row["measured"],
        source=row["source"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A measured row with log(measured / roofline)."""

    row: Measured
    residual: float


def known_rows(rows: Sequence[Measured], constants: Constants) -> tuple[Known, ...]:
    """Rows with their residuals against the roofline with these constants."""
    return tuple(
        Known(row=row, residual=math.log(row.output_tokens_per_s / roofline_tokens_per_s(row.point, constants)))
        for row in rows
    )


@cache
def shipped_rows() -> tuple[Known, ...]:
    """The shipped measurements against the shipped constants."""
    return known_rows(measured_rows(), shipped_fit().constants)


def alike(known: Sequence[Known], shape: ModelShape, gpu_model: str, precision: str) -> tuple[Known, ...]:
    """The rows of the same model (or another release of its architecture) on the same GPU at the same precision."""
    precision = "fp16" if precision == "bf16" else precision
    return tuple(
        one
        for one in known
        if one.row.point.spec.gpu_model == gpu_model
        and one.row.point.precision == precision
        and _same_architecture(one.row.point.shape, shape)
    )


def _same_architecture(one: ModelShape, other: ModelShape) -> bool:
    same = (one.layers, one.hidden, one.experts) == (other.layers, other.hidden, other.experts)
    return same and abs(math.log(one.params_total_b / other.params_total_b)) < SAME_SIZE


def log_factor(rows: Sequence[Known]) -> float:
    """By how much rows that are alike move the roofline, as a logarithm; 0 without rows."""
    weight = sum(one.row.weight for one in rows)
    return MEASURED_SHARE * sum(one.row.weight * one.residual for one in rows) / weight if rows else 0.0


def corrected_tokens_per_s(
    point: Point, constants: Constants, factor_of: Callable[[ModelShape, str, str], float]
) -> float:
    """The roofline times `factor_of` (model, GPU, precision), or what a wider precision gives where that is faster.

    Of the roofline alone no wider one is, but measurements may say so. ModelDoesNotFitError when the model does not fit
    at the point's own precision.
    """
    shape, gpu_model = point.shape, point.spec.gpu_model
    value = roofline_tokens_per_s(point, constants) * factor_of(shape, gpu_model, point.precision)
    for wider in wider_precisions(point.precision):
        try:
            other = roofline_tokens_per_s(replace(point, precision=wider), constants)
        except ModelDoesNotFitError:
            break
        value = max(value, other * factor_of(shape, gpu_model, wider))
    return value


def nearest(rows: Sequence[Known], point: Point) -> Measured | None:
    """Of rows that are alike, the one nearest in lengths, GPUs per replica and concurrency, to be named."""
    return min((one.row for one in rows), key=lambda row: _distance(row.point, point), default=None)


def _distance(one: Point, other: Point) -> float:
    pairs = (
        (one.input_tokens, other.input_tokens),
        (one.output_tokens, other.output_tokens),
        (one.gpus_per_replica, other.gpus_per_replica),
        (one.concurrency_per_replica or math.inf, other.concurrency_per_replica or math.inf),
    )
    # Full load and a known concurrency count as a factor of a thousand apart.
    return sum(min(abs(math.log(a) - math.log(b)), math.log(1000)) for a, b in pairs if a != b)
