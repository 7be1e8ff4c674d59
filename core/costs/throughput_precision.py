"""At which precision does a GPU serve weights of 8 or 4 bits: in its own units, computed wider, or not at all?

Units for fp8 came with Ada and Hopper (and AMD's CDNA3), for fp4 with Blackwell. Turing and Ampere can keep such
weights and compute in 16 bit; for Volta and CDNA2 no serving engine has the code. After vLLM's documentation of its
FP8 and its "supported hardware" (docs.vllm.ai, v0.32, read 2026-11-25).
"""

from __future__ import annotations

from core.costs.gpus import GpuSpec

NARROW = ("fp8", "fp4")
STORED_ONLY = {"fp8": "fp8w16", "fp4": "int4"}
"""What narrow weights become where they are only stored: computed in 16 bit, with keys and values of 16 bit too."""

WEIGHT_ONLY_ARCHITECTURES = ("Turing", "Ampere")


def served_precision(spec: GpuSpec, precision: str) -> str:
    """The precision in which a GPU really runs narrow weights; those of 16 bit and int8 stay as they are."""
    return STORED_ONLY[precision] if precision in NARROW and spec.fp8_dense_tflops is None else precision


def can_serve(spec: GpuSpec, precision: str) -> bool:
    """Whether a serving engine runs weights of this precision on the GPU at all."""
    if precision not in NARROW or spec.fp8_dense_tflops is not None:
        return True
    return spec.architecture in WEIGHT_ONLY_ARCHITECTURES


def computed_in(spec: GpuSpec, precision: str) -> str:
    """The units that do the arithmetic of a precision: its own, or the next wider ones the GPU has."""
    if precision == "fp4" and spec.fp4_dense_tflops is None:
        return "fp16" if spec.fp8_dense_tflops is None else "fp8"
    if precision == "fp8" and spec.fp8_dense_tflops is None:
        return "fp16"
    return precision
