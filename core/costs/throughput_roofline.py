"""How fast can a machine serve a model at best? A roofline of memory and compute with a few fitted constants.

Mathematics: decode step = max(memory time, compute time) x (1 + a log2 GPUs) + a fixed overhead; prefill is bound by
compute and spread over the reply. See PLANNING, "Throughput of a self-hosted model".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from core.costs.gpus import GpuSpec
from core.costs.model_shapes import WEIGHT_BYTES, ModelShape

# Room for activations, the runtime and fragmentation; engines hand out about nine tenths of a GPU's memory.
USABLE_MEMORY_SHARE = 0.9
MAX_BATCH = 2048


class ModelDoesNotFitError(ValueError):
    """The weights and one request do not fit on the GPUs; `gpus_needed` says how many of them would hold it."""

    def __init__(self, model_id: str, gpu_model: str, gpu_count: int, needed_gb: float, gpus_needed: int) -> None:
        self.model_id, self.gpu_model, self.gpu_count = model_id, gpu_model, gpu_count
        self.needed_gb, self.gpus_needed = needed_gb, gpus_needed
        super().__init__(
            f"{model_id} needs {needed_gb:.0f} GB, more than {gpu_count} x {gpu_model} can hold: "
            f"take {gpus_needed} of them or a lower precision."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Fitted on published measurements: shares of peak FLOP/s and bandwidth reached, penalty per doubling of GPUs.

    `flops_share` is for decode, `prefill_share` for prefill, `step_ms` the fixed time of a decode step.
    """

    flops_share: float
    bandwidth_share: float
    gpu_penalty: float
    prefill_share: float
    step_ms: float

    def to_json(self) -> Mapping[str, float]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One configuration: a shape on GPUs of one spec, at a precision, with mean lengths and concurrency per replica."""

    shape: ModelShape
    spec: GpuSpec
    precision: str
    gpus_per_replica: int
    replica_count: int
    input_tokens: float
    output_tokens: float
    concurrency_per_replica: float | None = None
    memory_gb: float | None = None

    @property
    def gpu_memory_gb(self) -> float:
        return self.memory_gb or self.spec.memory_gb


def dense_flops(spec: GpuSpec, precision: str) -> float:
    """Dense FLOP/s (without sparsity) of one GPU at a precision; without hardware for it, of the next wider one."""
    sixteen = spec.bf16_dense_tflops or spec.fp16_dense_tflops or 0.0
    eight = spec.fp8_dense_tflops or sixteen
    if precision in ("fp8", "int8"):
        return eight * 1e12
    if precision == "fp4":
        return (spec.fp4_dense_tflops or eight) * 1e12
    return sixteen * 1e12


def max_batch(point: Point) -> float:
    """Requests one replica holds at once; the mean request keeps its prompt and half of its reply in memory."""
    shape, precision = point.shape, point.precision
    free_gb = point.gpus_per_replica * point.gpu_memory_gb * USABLE_MEMORY_SHARE - shape.weight_gb(precision)
    per_request_gb = shape.kv_bytes_per_token(precision) * (point.input_tokens + point.output_tokens / 2) / 1e9
    batch = free_gb / per_request_gb
    if batch < 1:
        needed = shape.weight_gb(precision) + per_request_gb
        gpus = math.ceil(needed / (point.gpu_memory_gb * USABLE_MEMORY_SHARE))
        raise ModelDoesNotFitError(shape.model_id, point.spec.gpu_model, point.gpus_per_replica, needed, gpus)
    return min(batch, MAX_BATCH, point.concurrency_per_replica or MAX_BATCH)


def roofline_tokens_per_s(point: Point, constants: Constants) -> float:
    """Output tokens per second of all replicas; ModelDoesNotFitError when a replica cannot hold one request."""
    shape, gpus = point.shape, point.gpus_per_replica
    batch = max(1.0, max_batch(point))
    context = point.input_tokens + point.output_tokens / 2
    flops = dense_flops(point.spec, point.precision) * gpus
    bandwidth = point.spec.bandwidth_gb_per_s * 1e9 * gpus
    read_bytes = shape.params_touched_b(batch) * 1e9 * WEIGHT_BYTES[point.precision]
    read_bytes += batch * context * shape.kv_bytes_per_token(point.precision)
    memory_s = read_bytes / (bandwidth * constants.bandwidth_share)
    compute_s = 2 * shape.params_active_b * 1e9 * batch / (flops * constants.flops_share)
    penalty = 1 + constants.gpu_penalty * math.log2(gpus)
    step_s = max(memory_s, compute_s) * penalty + constants.step_ms / 1e3
    attention = 2 * shape.layers * shape.hidden * point.input_tokens**2
    prefill_flop = 2 * shape.params_active_b * 1e9 * point.input_tokens + attention
    prefill_s = prefill_flop * penalty / (flops * constants.prefill_share)
    per_token_s = step_s + batch * prefill_s / max(1.0, point.output_tokens)
    return point.replica_count * batch / per_token_s
