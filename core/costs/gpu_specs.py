"""What can each GPU do, by any of its usual names? The shipped specs, for arithmetic that needs no database."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from core.costs.gpus import GpuSpec, spec_for

DATA = Path(__file__).resolve().parents[2] / "data"

# How measurements, drivers and sellers write what the specs call otherwise, with the form that the name means. A bare
# "H100" or "A100" is the SXM board in every published measurement.
GPU_NAMES: Mapping[str, tuple[str, str | None]] = {
    "H100": ("H100-80GB", "SXM"), "H100 SXM5": ("H100-80GB", "SXM"), "H100 80GB HBM3": ("H100-80GB", "SXM"),
    "H100 SXM": ("H100-80GB", "SXM"), "H100 PCIe": ("H100-80GB", "PCIe"), "A100": ("A100-80GB", "SXM"),
    "A100 SXM": ("A100-80GB", "SXM"), "A100 PCIe": ("A100-80GB", "PCIe"), "A100 SXM4 80GB": ("A100-80GB", "SXM"),
    "A100 SXM4 40GB": ("A100-40GB", "SXM"), "H200 141GB": ("H200", "SXM"), "H200 SXM": ("H200", "SXM"),
    "GH200 144": ("GH200", None), "GH200 96": ("GH200", None), "V100": ("V100-16GB", None),
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
    name, form = _names().get(_squashed(gpu_model), (gpu_model, None))
    found = spec_for(specs, name, gpu_form or form)
    if found is None:
        names = sorted({model for model, _ in specs} | set(GPU_NAMES))
        raise UnknownGpuError(gpu_model, tuple(difflib.get_close_matches(gpu_model, names, n=3, cutoff=0.4)))
    return found


@cache
def _names() -> Mapping[str, tuple[str, str | None]]:
    """What each known name means: a spec's model, and the form where the name says it."""
    own: dict[str, tuple[str, str | None]] = {_squashed(model): (model, None) for model, _ in gpu_specs()}
    return own | {_squashed(name): meant for name, meant in GPU_NAMES.items()}


def _squashed(name: str) -> str:
    """Letters and digits in lower case, without the maker's name."""
    plain = "".join(char for char in name.lower() if char.isalnum())
    return plain.removeprefix("nvidia").removeprefix("amd")
