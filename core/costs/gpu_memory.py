"""What memory does a model need, and which offers hold it? Weights + key-value cache + overhead, each shown.

GB is 1e9 bytes; the memory printed on a GPU is counted the same way, which leaves a little room.

What is said to fit here must start on any engine as it comes, so this asks for more than the throughput model, which is
fitted to published benchmarks. Both keep the tenth that engines leave free (`USABLE_MEMORY_SHARE`); beyond it each GPU
here needs `OVERHEAD_GB_PER_GPU`, with the little that its driver takes. Keys and values have `KV_BYTES` here, whatever
the weights have, since vLLM and SGLang narrow them only when told to; the throughput model takes and was fitted with
one byte beside weights of fp8, int8 and fp4 (`model_shapes.KV_BYTES`). It also knows each model's own shape, where this
has the size alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from core.costs.gpus import USABLE_MEMORY_SHARE, GpuOffer
from core.costs.limits import require_within
from core.costs.model_shapes import WEIGHT_BYTES

Precision = Literal["bf16", "fp8", "int4"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
# Key and value numbers per token, 2 x layers x key-value heads x head size, of dense models by billions of parameters:
# Llama 3.2 1B (16 x 8 x 64), 3B (28 x 8 x 128), Llama 3.1 8B (32 x 8 x 128), Qwen2.5 14B (48), Qwen2.5 32B (64),
# Llama 3.1 70B (80), 405B (126). Sizes between are interpolated on logarithms; models that compress the cache
# (latent attention, sliding windows) need less.
_KV_NUMBERS: tuple[tuple[float, int], ...] = (
    (1.2, 16_384), (3.2, 57_344), (8.0, 65_536), (14.8, 98_304), (32.8, 131_072), (70.6, 163_840), (405.0, 258_048),
)  # fmt: skip
KV_BYTES = 2
# What each GPU needs for the driver's context, captured graphs and activations.
OVERHEAD_GB_PER_GPU = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNeed:
    """What must fit: billions of parameters, precision of the weights, context tokens, and sequences at once.

    Raises ValueError naming the field.
    """

    parameters_billions: float
    precision: Precision = "fp8"
    context_tokens: int = 8_192
    sequence_count: int = 1

    def __post_init__(self) -> None:
        limits = {
            "parameters_billions": (0.01, 10_000),
            "context_tokens": (1, 10_000_000),
            "sequence_count": (1, 10_000),
        }
        for name, (low, high) in limits.items():
            require_within(name, getattr(self, name), low, high)

    @property
    def weights_gb(self) -> float:
        """Parameters times bytes per parameter."""
        return self.parameters_billions * WEIGHT_BYTES[self.precision]

    @property
    def kv_cache_gb(self) -> float:
        """Numbers per token x `KV_BYTES` x context x sequences."""
        return (
            kv_numbers_per_token(self.parameters_billions) * KV_BYTES * self.context_tokens * self.sequence_count / 1e9
        )

    def total_gb(self, gpu_count: int) -> float:
        """Weights, cache, and the overhead of each GPU."""
        return self.weights_gb + self.kv_cache_gb + OVERHEAD_GB_PER_GPU * gpu_count


def kv_numbers_per_token(parameters_billions: float) -> float:
    """Key and value numbers kept per token, for a dense model of that size.

    Interpolated on logarithms between the models of `_KV_NUMBERS`, and continued beyond them at the slope of the last
    two; each number takes `KV_BYTES`. ValueError for a size of 0 or less.
    """
    sizes = [math.log(size) for size, _ in _KV_NUMBERS]
    numbers = [math.log(number) for _, number in _KV_NUMBERS]
    at = math.log(parameters_billions)
    place = min(max(sum(size <= at for size in sizes), 1), len(sizes) - 1)
    slope = (numbers[place] - numbers[place - 1]) / (sizes[place] - sizes[place - 1])
    return math.exp(numbers[place] + slope * (at - sizes[place]))


def usable_gb(offer: GpuOffer) -> float | None:
    """GB of all GPUs of an offer that serving may use: `USABLE_MEMORY_SHARE` of what is sold, None when nobody says."""
    return None if offer.total_memory_gb is None else offer.total_memory_gb * USABLE_MEMORY_SHARE


def holds(offer: GpuOffer, need: MemoryNeed) -> bool:
    """Whether one machine of the offer holds it; unknown memory does not."""
    usable = usable_gb(offer)
    return usable is not None and usable >= need.total_gb(offer.gpu_count)
