"""How fast can a machine serve a model at best? A roofline of memory and compute with a few fitted constants.

Decode step = (memory time + compute time) x (1 + a log2 GPUs) + a fixed overhead; prefill is bound by compute and
spread over the reply. Measured steps take the sum of both times rather than the longer one: they hardly overlap. GPUs
without a fabric of their own also wait for what they exchange over PCIe. The roofline is that of Williams, Waterman and
Patterson (2009); its constants are fitted to the measurements in data/throughput_measured.csv by `throughput_fit`,
which writes data/throughput_fit.json.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.costs.gpus import USABLE_MEMORY_SHARE, GpuSpec
from core.costs.model_shapes import WEIGHT_BYTES, ModelShape

MAX_BATCH = 2048

# GPUs that share a model add up their results twice a layer. Over NVLink or Infinity Fabric that is in the fitted
# penalty. No measurement here has several GPUs over PCIe, so there it is computed: 16 bit a value, each GPU sending
# 2 (n - 1) / n of them (ring all-reduce), at this share of the link's rated speed in one direction, an assumption.
EXCHANGED_BYTES, EXCHANGES_PER_LAYER, LINK_SHARE = 2, 2, 0.8
# A bridge joins two GPUs; between pairs there is PCIe (of the fourth generation, 64 GB/s both ways).
BRIDGE, BRIDGED_GPUS, PCIE_GB_PER_S = "NVLink bridge", 2, 64.0
NARROWEST_BYTES = min(WEIGHT_BYTES.values())


class ModelDoesNotFitError(ValueError):
    """The weights and one request do not fit on the GPUs; `gpus_needed` says how many of them would hold it."""

    def __init__(
        self, model_id: str, gpu_model: str, gpu_count: int, needed_gb: float, gpus_needed: int, advice: str = ""
    ) -> None:
        self.model_id, self.gpu_model, self.gpu_count = model_id, gpu_model, gpu_count
        self.needed_gb, self.gpus_needed = needed_gb, gpus_needed
        super().__init__(
            f"{model_id} needs {needed_gb:.0f} GB, more than {gpu_count} x {gpu_model} can hold: "
            f"take {gpus_needed} of them{advice}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Fitted on published measurements: shares of peak FLOP/s and bandwidth reached, penalty per doubling of GPUs.

    `flops_share` is for decode, `prefill_share` for prefill, `step_ms` the fixed time of a decode step. Narrow matrices
    use less of the hardware: experts of `expert_width` reach half of these shares of FLOP/s. `fp4_share` is what fp4
    units reach beside wider ones, `amd_share` what AMD's software reaches of FLOP/s and bandwidth beside NVIDIA's (its
    GPUs also reach less of their peak in bare matrix products). The shipped ones are in data/throughput_fit.json.
    """

    flops_share: float
    bandwidth_share: float
    gpu_penalty: float
    prefill_share: float
    step_ms: float
    fp4_share: float
    amd_share: float
    expert_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One configuration: a shape on GPUs of one spec at a precision, with mean tokens per request.

    `concurrency_per_replica` is requests at once, None for as many as fit; below 1 some replicas idle. `memory_gb` is
    per GPU where a board has another size than its spec.
    """

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
        """GB per GPU."""
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
    """Requests one replica holds at once; the mean request keeps its prompt and half of its reply in memory.

    ModelDoesNotFitError when it cannot hold one.
    """
    shape, precision = point.shape, point.precision
    usable_gb = point.gpus_per_replica * point.gpu_memory_gb * USABLE_MEMORY_SHARE
    free_gb = usable_gb - shape.weight_gb(precision)
    per_request_gb = shape.kv_bytes_per_token(precision) * (point.input_tokens + point.output_tokens / 2) / 1e9
    batch = free_gb / per_request_gb
    if batch < 1:
        needed = shape.weight_gb(precision) + per_request_gb
        gpus = math.ceil(needed / (point.gpu_memory_gb * USABLE_MEMORY_SHARE))
        raise ModelDoesNotFitError(
            shape.model_id, point.spec.gpu_model, point.gpus_per_replica, needed, gpus,
            _advice(shape, precision, usable_gb),
        )  # fmt: skip
    return min(batch, MAX_BATCH, point.concurrency_per_replica or MAX_BATCH)


def _advice(shape: ModelShape, precision: str, usable_gb: float) -> str:
    """What would help beside more GPUs: a lower precision where there is one, shorter prompts where the weights fit."""
    narrower = [" or a lower precision"] if WEIGHT_BYTES[precision] > NARROWEST_BYTES else []
    shorter = [" or shorter prompts"] if shape.weight_gb(precision) < usable_gb else []
    return "".join(narrower + shorter)


def roofline_tokens_per_s(point: Point, constants: Constants) -> float:
    """Output tokens per second of all replicas; ModelDoesNotFitError when a replica cannot hold one request.

    Never falls with more concurrency, shorter prompts or a lower precision: a step's time per request only shrinks.
    """
    shape, gpus = point.shape, point.gpus_per_replica
    batch = max(1.0, max_batch(point))
    context = point.input_tokens + point.output_tokens / 2
    flops = _flops(point, constants)
    bandwidth = point.spec.bandwidth_gb_per_s * 1e9 * gpus * _reach(point, constants)
    read_bytes = shape.params_touched_b(batch) * 1e9 * WEIGHT_BYTES[point.precision]
    read_bytes += batch * context * shape.kv_bytes_per_token(point.precision)
    memory_s = read_bytes / (bandwidth * constants.bandwidth_share)
    compute_s = 2 * shape.params_active_b * 1e9 * batch / (flops * constants.flops_share)
    step_s = (memory_s + compute_s) * _penalty(point, constants) + constants.step_ms / 1e3
    step_s += batch * exchange_s(point)
    per_token_s = step_s + batch * prefill_s(point, constants) / max(1.0, point.output_tokens)
    busy_share = min(1.0, point.concurrency_per_replica or 1.0)
    return point.replica_count * busy_share * batch / per_token_s


def prefill_s(point: Point, constants: Constants) -> float:
    """Seconds in which one replica reads one prompt, when it reads no other."""
    shape = point.shape
    attention = 2 * shape.layers * shape.hidden * point.input_tokens**2
    flop = 2 * shape.params_active_b * 1e9 * point.input_tokens + attention
    reading_s = flop * _penalty(point, constants) / (_flops(point, constants) * constants.prefill_share)
    return reading_s + point.input_tokens * exchange_s(point)


def _flops(point: Point, constants: Constants) -> float:
    """FLOP/s of one replica's GPUs within what these matrices and this maker's software reach."""
    flops = dense_flops(point.spec, point.precision) * point.gpus_per_replica
    return flops * _reach(point, constants) * _units_share(point, constants)


def _reach(point: Point, constants: Constants) -> float:
    return constants.amd_share if point.spec.vendor == "AMD" else 1.0


def _penalty(point: Point, constants: Constants) -> float:
    return 1 + constants.gpu_penalty * math.log2(point.gpus_per_replica)


def exchange_s(point: Point) -> float:
    """Seconds that a replica's GPUs need to exchange one token's results over PCIe; 0 for one GPU or over a fabric."""
    gpus, link = point.gpus_per_replica, point.spec.interconnect
    is_bridged = link == BRIDGE
    if gpus == 1 or (is_bridged and gpus <= BRIDGED_GPUS) or not (is_bridged or link.startswith("PCIe")):
        return 0.0
    both_ways = PCIE_GB_PER_S if is_bridged else point.spec.interconnect_gb_per_s or PCIE_GB_PER_S
    sent = EXCHANGES_PER_LAYER * point.shape.layers * point.shape.hidden * EXCHANGED_BYTES * 2 * (gpus - 1) / gpus
    return sent / (both_ways / 2 * 1e9 * LINK_SHARE)


def _units_share(point: Point, constants: Constants) -> float:
    """What fp4 units and narrow experts leave of the shares of FLOP/s that wide matrices reach."""
    share = constants.fp4_share if point.precision == "fp4" and point.spec.fp4_dense_tflops else 1.0
    width = point.shape.expert_width
    return share / (1 + constants.expert_width / width) if width else share
