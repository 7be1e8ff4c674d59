"""How many output tokens per second does a model give on some GPUs, and how sure is that?

A roofline with fitted constants, corrected by published measurements of the same model on the same GPU. Every pair of
a known shape and a known GPU gets an answer with an 80 % band and the reason; a measurement of one's own replaces it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from core.costs.gpu_specs import gpu_spec
from core.costs.gpus import GpuSpec
from core.costs.limits import require_whole, require_within
from core.costs.model_shapes import ModelShape, model_shape, precision_named
from core.costs.throughput_measured import (
    Known,
    Measured,
    alike,
    corrected_tokens_per_s,
    log_factor,
    nearest,
    shipped_fit,
    shipped_rows,
)
from core.costs.throughput_precision import computed_in, served_precision
from core.costs.throughput_roofline import ModelDoesNotFitError, Point

__all__ = ["BasisKind", "ModelDoesNotFitError", "ThroughputEstimate", "estimate_throughput"]

MAX_GPUS = 100_000

BasisKind = Literal["own_measurement", "scaled", "roofline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThroughputEstimate:
    """Output tokens per second of all GPUs together, and what that rests on.

    `low` and `high` (tokens/s too) are the ends of a band that holds four of five measurements held out of the fit;
    both are the value itself for a measurement of one's own. `basis` says it in words, `nearest` is the closest
    published measurement (None when none is close) and `nearest_source` where it was read. `idle_gpus` are those that
    make no further replica. `computed_in` is the precision of the units at work: wider than that of the weights on a
    GPU without units for it.
    """

    output_tokens_per_s: float
    low: float
    high: float
    basis: str
    basis_kind: BasisKind
    gpus_per_replica: int
    replica_count: int
    nearest: Measured | None = None
    nearest_source: str = ""
    idle_gpus: int = 0
    computed_in: str = ""


def estimate_throughput(
    model: str | ModelShape,
    gpu: str | GpuSpec,
    *,
    gpu_count: int = 1,
    precision: str = "fp8",
    input_tokens: float = 1024,
    output_tokens: float = 1024,
    concurrency: float | None = None,
    gpu_form: str | None = None,
    gpus_per_replica: int | None = None,
    measured_tokens_per_s: float | None = None,
) -> ThroughputEstimate:
    """Output tokens/s of `gpu_count` GPUs at mean lengths and `concurrency` requests at once (None: as many as fit).

    Requests are spread over the replicas evenly; fewer of them than replicas leave some idle. `gpus_per_replica` None
    takes the size (1, 2, 4, 8 ... and divisors of `gpu_count`) that holds the model and gives the most. `gpu_form` None
    is the form that measurements of that name are of (SXM before PCIe). A `measured_tokens_per_s` of one's own (for all
    the GPUs) replaces the estimate.

    Weights narrower than the GPU's units are computed wider (`throughput_precision`). Never falls with more
    concurrency, shorter prompts or a lower precision. Raises UnknownShapeError, UnknownGpuError, ModelDoesNotFitError
    (no size of replica fits), and ValueError naming any other input that is unknown or out of range: `gpu_count` to
    100,000, `input_tokens` from 1 to 10 million, `output_tokens` from 1 to a million.
    """
    shape = model if isinstance(model, ModelShape) else model_shape(model)
    spec = gpu if isinstance(gpu, GpuSpec) else gpu_spec(gpu, gpu_form)
    _check(gpu_count, gpus_per_replica, input_tokens, output_tokens, concurrency, measured_tokens_per_s)
    asked = precision_named(precision)
    whole = Point(
        shape=shape, spec=spec, precision=served_precision(spec, asked), gpus_per_replica=gpu_count, replica_count=1,
        input_tokens=input_tokens, output_tokens=output_tokens, concurrency_per_replica=concurrency,
    )  # fmt: skip
    point, value = _fastest(whole, _sizes(gpu_count) if gpus_per_replica is None else (gpus_per_replica,))
    return _estimate(point, value, gpu_count, measured_tokens_per_s, computed_in(spec, asked))


def _sizes(gpu_count: int) -> tuple[int, ...]:
    """Sizes of a replica to try, ascending: powers of two, and what divides `gpu_count` without a rest."""
    powers = {2**power for power in range(gpu_count.bit_length())}
    small = {size for size in range(1, math.isqrt(gpu_count) + 1) if gpu_count % size == 0}
    return tuple(sorted(powers | small | {gpu_count // size for size in small}))


def _fastest(whole: Point, sizes: Sequence[int]) -> tuple[Point, float]:
    """All the GPUs cut into replicas of the size that gives the most tokens/s (of equal ones the smallest).

    ModelDoesNotFitError of the largest when none fits.
    """
    best: tuple[Point, float] | None = None
    for size in sizes:
        replicas = whole.gpus_per_replica // size
        asked = whole.concurrency_per_replica
        point = replace(
            whole, gpus_per_replica=size, replica_count=replicas,
            concurrency_per_replica=None if asked is None else asked / replicas,
        )  # fmt: skip
        try:
            value = corrected_tokens_per_s(point, shipped_fit().constants, _factor)
        except ModelDoesNotFitError:
            if best is None and size == sizes[-1]:
                raise
            continue
        if best is None or value > best[1] * (1 + 1e-9):
            best = point, value
    if best is None:
        raise ValueError("gpus_per_replica: there is no size to try.")
    return best


@cache
def _alike(shape: ModelShape, gpu_model: str, precision: str) -> tuple[Known, ...]:
    return alike(shipped_rows(), shape, gpu_model, precision)


@cache
def _factor(shape: ModelShape, gpu_model: str, precision: str) -> float:
    return math.exp(log_factor(_alike(shape, gpu_model, precision)))


def _estimate(
    point: Point, value: float, gpu_count: int, measured_tokens_per_s: float | None, units: str
) -> ThroughputEstimate:
    if measured_tokens_per_s is not None:
        return _result(point, gpu_count, measured_tokens_per_s, "your own measurement", "own_measurement", None, units)
    row = nearest(_alike(point.shape, point.spec.gpu_model, point.precision), point)
    if row is None:
        return _result(point, gpu_count, value, "roofline, no measured neighbour", "roofline", None, units)
    basis = f"scaled from a measured {row.point.spec.gpu_model} row: {_name(row)}"
    return _result(point, gpu_count, value, basis, "scaled", row, units)


def _name(row: Measured) -> str:
    point = row.point
    return f"{point.shape.model_id} {point.precision} on {point.spec.gpu_model} ({row.engine}, {row.measured_on})"


def _result(
    point: Point, gpu_count: int, value: float, basis: str, kind: BasisKind, row: Measured | None, units: str
) -> ThroughputEstimate:
    idle = gpu_count - point.gpus_per_replica * point.replica_count
    low, high = (1.0, 1.0) if kind == "own_measurement" else shipped_fit().band
    return ThroughputEstimate(
        output_tokens_per_s=value,
        low=value * low,
        high=value * high,
        basis=f"{basis}; {idle} of {gpu_count} GPUs idle" if idle else basis,
        basis_kind=kind,
        gpus_per_replica=point.gpus_per_replica,
        replica_count=point.replica_count,
        nearest=row,
        nearest_source=row.source if row else "",
        idle_gpus=idle,
        computed_in=units,
    )


def _check(
    gpu_count: int,
    gpus_per_replica: int | None,
    input_tokens: float,
    output_tokens: float,
    concurrency: float | None,
    measured_tokens_per_s: float | None,
) -> None:
    require_whole("gpu_count", gpu_count, 1, MAX_GPUS)
    if gpus_per_replica is not None:
        require_whole("gpus_per_replica", gpus_per_replica, 1, gpu_count)
    require_within("input_tokens", input_tokens, 1, 10_000_000)
    require_within("output_tokens", output_tokens, 1, 1_000_000)
    optional = (("concurrency", concurrency, 1e-6, 1e9), ("measured_tokens_per_s", measured_tokens_per_s, 1e-6, 1e12))
    for name, value, low, high in optional:
        if value is not None:
            require_within(name, value, low, high)
