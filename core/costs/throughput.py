"""How many output tokens per second does a model give on some GPUs, and how sure is that?

A roofline with fitted constants, corrected by published measurements near the configuration. Every pair of a known
shape and a known GPU gets an answer with an 80 % band and the reason; a measurement of one's own replaces it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from core.costs.gpu_specs import gpu_spec
from core.costs.model_shapes import WEIGHT_BYTES, ModelShape, model_shape
from core.costs.throughput_measured import Measured, correction, shipped_fit, shipped_neighbours
from core.costs.throughput_roofline import (
    USABLE_MEMORY_SHARE,
    ModelDoesNotFitError,
    Point,
    max_batch,
    roofline_tokens_per_s,
)

__all__ = ["BasisKind", "ModelDoesNotFitError", "ThroughputEstimate", "estimate_throughput"]

# Within this distance a measured row is a neighbour worth naming: about the same model, GPU and precision.
NAMED_DISTANCE = 1.0
GPUS_PER_MACHINE = 8
# Within this distance the measurement is of this very configuration.
SAME_ROW = 0.1
# Requests at once per replica that stand for full load.
FULL_LOADS = (64.0, 256.0, 512.0)

BasisKind = Literal["own_measurement", "scaled", "roofline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThroughputEstimate:
    """Output tokens per second of all GPUs together, its 80 % band, and what it rests on."""

    output_tokens_per_s: float
    low: float
    high: float
    basis: str
    basis_kind: BasisKind
    gpus_per_replica: int
    replica_count: int
    nearest: str = ""
    nearest_source: str = ""


def estimate_throughput(
    model: str | ModelShape,
    gpu: str,
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

    `gpus_per_replica` None takes the fewest (1, 2, 4, 8, ...) that hold the model and divide `gpu_count`. A
    `measured_tokens_per_s` of one's own (for all the GPUs) replaces the estimate. Raises UnknownShapeError,
    UnknownGpuError, ModelDoesNotFitError, and ValueError naming any input out of range.
    """
    shape = model if isinstance(model, ModelShape) else model_shape(model)
    spec = gpu_spec(gpu, gpu_form)
    _check(gpu_count, precision, input_tokens, output_tokens, concurrency, measured_tokens_per_s)
    per_replica = gpus_per_replica or fewest_gpus(shape, spec.memory_gb, gpu_count, precision)
    if not 1 <= per_replica <= gpu_count:
        raise ValueError(f"gpus_per_replica is {per_replica}: give 1 to gpu_count ({gpu_count}).")
    replicas = gpu_count // per_replica
    point = Point(
        shape=shape,
        spec=spec,
        precision=precision,
        gpus_per_replica=per_replica,
        replica_count=replicas,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        concurrency_per_replica=None if concurrency is None else concurrency / replicas,
    )
    return _estimate(point, measured_tokens_per_s)


def _estimate(point: Point, measured_tokens_per_s: float | None) -> ThroughputEstimate:
    if measured_tokens_per_s is not None:
        return _result(point, measured_tokens_per_s, (1.0, 1.0), "your own measurement", "own_measurement", None)
    fit = shipped_fit()
    found = correction(shipped_neighbours(), point, fit.distances)
    band = fit.near_band if found.weight >= fit.near_weight else fit.far_band
    value = _corrected(point) if found.distance <= SAME_ROW else _reconciled(point)
    if found.distance > NAMED_DISTANCE:
        return _result(point, value, band, "roofline, no measured neighbour", "roofline", None)
    row = found.nearest.point
    basis = f"scaled from a measured {row.spec.gpu_model} row: {_name(found.nearest)}"
    return _result(point, value, band, basis, "scaled", found.nearest)


def _reconciled(point: Point) -> float:
    """Tokens/s such that as many requests as fit never give less than a limited number of them.

    Runs with a known concurrency come from other sources than runs at full load, and each kind corrects the roofline in
    its own way. Where the limited one comes out faster, both are set to their geometric mean (held-out errors stay).
    """
    unlimited = replace(point, concurrency_per_replica=None)
    # More requests than fit wait, and change nothing.
    most = max_batch(unlimited)
    asked = point.concurrency_per_replica
    loads = {min(one, most) for one in (FULL_LOADS if asked is None else (asked,))}
    limited = max(_corrected(replace(point, concurrency_per_replica=one)) for one in loads)
    full = _corrected(unlimited)
    if limited > full:
        return math.sqrt(limited * full)
    return full if asked is None else limited


def _corrected(point: Point) -> float:
    fit = shipped_fit()
    factor = correction(shipped_neighbours(), point, fit.distances).log_factor
    return roofline_tokens_per_s(point, fit.constants) * math.exp(factor)


def _name(row: Measured) -> str:
    return (
        f"{row.point.shape.model_id} {row.point.precision} on {row.point.spec.gpu_model} ({row.engine}, {row.measured})"
    )


def _result(
    point: Point, value: float, band: tuple[float, float], basis: str, kind: BasisKind, nearest: Measured | None
) -> ThroughputEstimate:
    return ThroughputEstimate(
        output_tokens_per_s=value,
        low=value * band[0],
        high=value * band[1],
        basis=basis,
        basis_kind=kind,
        gpus_per_replica=point.gpus_per_replica,
        replica_count=point.replica_count,
        nearest=_name(nearest) if nearest else "",
        nearest_source=nearest.source if nearest else "",
    )


def fewest_gpus(shape: ModelShape, memory_gb: float, gpu_count: int, precision: str) -> int:
    """The fewest GPUs (a power of two, then all) that hold the weights with a tenth to spare for contexts."""
    needed = shape.weight_gb(precision) * 1.1 / (memory_gb * USABLE_MEMORY_SHARE)
    sizes = [2**power for power in range(gpu_count.bit_length()) if 2**power <= gpu_count]
    return next((size for size in sizes if size >= needed), gpu_count)


def _check(
    gpu_count: int,
    precision: str,
    input_tokens: float,
    output_tokens: float,
    concurrency: float | None,
    measured_tokens_per_s: float | None,
) -> None:
    if precision not in WEIGHT_BYTES:
        raise ValueError(f"precision is {precision!r}: give one of {', '.join(WEIGHT_BYTES)}.")
    limits = (
        ("gpu_count", gpu_count, 1, 100_000),
        ("input_tokens", input_tokens, 1, 10_000_000),
        ("output_tokens", output_tokens, 1, 1_000_000),
        ("concurrency", concurrency, 1e-6, 1e9),
        ("measured_tokens_per_s", measured_tokens_per_s, 1e-6, 1e12),
    )
    for name, value, low, high in limits:
        if value is not None and not low <= value <= high:
            raise ValueError(f"{name} is {value!r}: give {low:g} to {high:g}.")
