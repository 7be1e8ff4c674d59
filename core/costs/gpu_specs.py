"""What can each GPU do, by any of its usual names? The shipped specs, for arithmetic that needs no database."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from core.costs.gpus import GpuSpec, spec_for

DATA = Path(__file__).resolve().parents[2] / "data"

# How measurements and sellers write what the specs call otherwise.
GPU_NAMES: Mapping[str, str] = {
    "H100": "H100-80GB", "H100-SXM": "H100-80GB", "A100": "A100-80GB", "RTXPRO6000": "RTX PRO 6000",
    "GH200-144": "GH200", "GH200-96": "GH200", "V100": "V100-16GB",
}  # fmt: skip


class UnknownGpuError(LookupError):
    """No GPU has this name; `suggestions` are the nearest."""

    def __init__(self, gpu_model: str, suggestions: tuple[str, ...]) -> None:
        self.gpu_model, self.suggestions = gpu_model, suggestions
        hint = f" Did you mean {', '.join(suggestions)}?" if suggestions else ""
        super().__init__(f"No GPU spec is named {gpu_model!r}.{hint}")


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None


@cache
def gpu_specs() -> Mapping[tuple[str, str], GpuSpec]:
    """Specs by (model, form)."""
    with (DATA / "gpu_specs.csv").open(encoding="utf-8", newline="") as file:
        return {(row["gpu_model"], row["gpu_form"]): _spec(row) for row in csv.DictReader(file)}


def _spec(row: Mapping[str, str]) -> GpuSpec:
    return GpuSpec(
        gpu_model=row["gpu_model"],
        gpu_form=row["gpu_form"],
        vendor=row["vendor"],
        architecture=row["architecture"],
        memory_gb=float(row["memory_gb"]),
        bandwidth_gb_per_s=float(row["bandwidth_gb_per_s"]),
        bf16_dense_tflops=_number(row["bf16_dense_tflops"]),
        fp16_dense_tflops=_number(row["fp16_dense_tflops"]),
        fp8_dense_tflops=_number(row["fp8_dense_tflops"]),
        fp4_dense_tflops=_number(row["fp4_dense_tflops"]),
        int8_dense_tops=_number(row["int8_dense_tops"]),
        tdp_w=_number(row["tdp_w"]),
        interconnect=row["interconnect"],
        interconnect_gb_per_s=_number(row["interconnect_gb_per_s"]),
        bf16_measured_tflops=_number(row["bf16_measured_tflops"]),
        fp8_measured_tflops=_number(row["fp8_measured_tflops"]),
        year=int(row["year"]) if row["year"] else None,
        confidence=row["confidence"],
        source=row["source"],
        note=row["note"],
    )


def gpu_spec(gpu_model: str, gpu_form: str | None = None) -> GpuSpec:
    """The spec of a GPU by its name or a usual other one; UnknownGpuError with the nearest names."""
    specs = dict(gpu_specs())
    name = GPU_NAMES.get(gpu_model, gpu_model)
    found = spec_for(specs, name, gpu_form)
    if found is None:
        names = sorted({model for model, _ in specs} | set(GPU_NAMES))
        raise UnknownGpuError(gpu_model, tuple(difflib.get_close_matches(gpu_model, names, n=3, cutoff=0.4)))
    return found
