"""How fast is one copy of a model on some of a machine's GPUs, and on how many of them can it run?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from core.costs.gpu_specs import offered_spec
from core.costs.gpus import USUAL_MACHINE_GPUS, GpuSpec
from core.costs.model_shapes import ModelShape
from core.costs.throughput import ModelDoesNotFitError, ThroughputEstimate, estimate_throughput
from core.costs.throughput_precision import can_serve

# All GPUs of a machine at once: NVLink with a switch, AMD's Infinity Fabric. A bridge joins two, PCIe none.
FABRIC = re.compile(r"NVLink\d|Infinity Fabric")
TOGETHER = (1, 2, 4, 8, 16)
"""GPUs that may work on one copy of a model in one machine; larger ones are not let."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSpeed:
    """The reader's own measurement: output tokens/s of one replica of `gpus_per_replica` GPUs of this model."""

    gpu_model: str
    gpus_per_replica: int
    tokens_per_s: float


def largest_replica(spec: GpuSpec, gpu_count: int) -> int:
    """GPUs of a machine that can work on one copy of the model: without a fabric at most `USUAL_MACHINE_GPUS`.

    Every layer exchanges its results between all GPUs of a replica: over PCIe the more GPUs, the longer that takes
    beside the work (`throughput_roofline.exchange_s`), and between machines it needs a network that offers do not
    state.
    """
    return gpu_count if FABRIC.match(spec.interconnect) else min(gpu_count, USUAL_MACHINE_GPUS)


@lru_cache(maxsize=10_000)
def replica_estimates(
    shape: ModelShape,
    gpu_model: str,
    gpu_form: str | None,
    gpu_count: int,
    precision: str,
    input_tokens: float,
    output_tokens: float,
) -> tuple[ThroughputEstimate, ...]:
    """Speed of one replica on 1, 2, 4, 8 ... and all `gpu_count` GPUs, as far as the model fits; remembered.

    Empty when the GPU has no spec or no engine runs the precision on it. A form that is not said counts as the slowest.
    Output of 0 counts as one token.
    """
    spec = offered_spec(gpu_model, gpu_form)
    if spec is None or not can_serve(spec, precision):
        return ()
    most, found = largest_replica(spec, gpu_count), []
    for gpus in sorted({2**power for power in range(most.bit_length())} | {most}):
        one = _replica(shape, spec, gpus, precision, input_tokens, output_tokens)
        if one is not None:
            found.append(one)
    return tuple(found)


def _replica(
    shape: ModelShape, spec: GpuSpec, gpus: int, precision: str, input_tokens: float, output_tokens: float
) -> ThroughputEstimate | None:
    """One replica on all of these GPUs, None where they do not hold it."""
    try:
        return estimate_throughput(
            shape, spec, gpu_count=gpus, gpus_per_replica=gpus, precision=precision, input_tokens=input_tokens,
            output_tokens=max(1, output_tokens),
        )  # fmt: skip
    except ModelDoesNotFitError:
        return None


def measured_replica(own: OwnSpeed, gpu_count: int) -> tuple[ThroughputEstimate, ...]:
    """The reader's measurement as an estimate; none on a machine of fewer GPUs than were measured."""
    if own.gpus_per_replica > gpu_count:
        return ()
    one = ThroughputEstimate(
        output_tokens_per_s=own.tokens_per_s, low=own.tokens_per_s, high=own.tokens_per_s,
        basis="your own measurement", basis_kind="own_measurement", gpus_per_replica=own.gpus_per_replica,
        replica_count=1,
    )  # fmt: skip
    return (one,)


def gpus_to_hold(
    shape: ModelShape, gpu_model: str, precision: str, input_tokens: float, output_tokens: float
) -> int | None:
    """How many GPUs of one machine hold the model and one request (a power of two); None where none can."""
    spec = offered_spec(gpu_model, None)
    if spec is None or not can_serve(spec, precision):
        return None
    for gpus in TOGETHER:
        if gpus > largest_replica(spec, gpus):
            return None
        if _replica(shape, spec, gpus, precision, input_tokens, output_tokens) is not None:
            return gpus
    return None
