"""What can each GPU do, by any of its usual names? The shipped specs, for arithmetic that needs no database."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Mapping
from functools import cache

from core.costs.facts import DATA, squashed
from core.costs.gpus import GpuSpec, plain_form, spec_for

# How measurements, drivers and sellers write what the specs call otherwise, with the form that the name means. In any
# name a maker or family before it (NVIDIA, Tesla, GeForce, Instinct) and a form within it (SXM4, PCIe) are known.
GPU_NAMES: Mapping[str, tuple[str, str | None]] = {
    "H100": ("H100-80GB", None), "H100 80GB HBM3": ("H100-80GB", "SXM"), "H100 94GB": ("H100-NVL", "NVL"),
    "A100": ("A100-80GB", None), "H200 141GB": ("H200", "SXM"), "GH200 144": ("GH200", None),
    "GH200 96": ("GH200", None), "GB200 NVL72": ("GB200", None), "GB300 NVL72": ("GB300", None),
    "V100": ("V100-16GB", None),
    "A6000": ("RTX A6000", None), "A5000": ("RTX A5000", None), "A4000": ("RTX A4000", None),
    "6000 Ada": ("RTX 6000 Ada", None), "RTX 6000 Ada Generation": ("RTX 6000 Ada", None),
    "RTX PRO 6000 Blackwell": ("RTX PRO 6000", None),
    "RTX PRO 6000 Blackwell Server Edition": ("RTX PRO 6000", "Server"),
}  # fmt: skip
FAMILIES = ("nvidia", "amd", "tesla", "geforce", "instinct")
FORM_IN_NAME = re.compile(r"sxm[2-6]?|pcie|oam")
# Of a name without a form: the boards that published measurements of that name ran on.
USUAL_FORMS = ("SXM", "OAM")


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
    """The spec of a GPU by its name or a usual other one, in any case.

    Without a form, said or in the name, the one that measurements of that name are of: SXM before PCIe. (An offer that
    does not say its form is another matter: `spec_for`.) UnknownGpuError with the nearest names; ValueError naming
    `gpu` for what is no name, `gpu_form` for a form in which this GPU is not known.
    """
    if not isinstance(gpu_model, str) or not (gpu_form is None or isinstance(gpu_form, str)):
        field, value = ("gpu_form", gpu_form) if isinstance(gpu_model, str) else ("gpu", gpu_model)
        raise ValueError(f"{field} is {value!r}: give a name, such as 'H100-80GB' in the form 'SXM'.")
    specs = gpu_specs()
    name, form = _meant(gpu_model)
    known = [own for model, own in specs if model == name]
    if not known:
        names = sorted({model for model, _ in specs} | set(GPU_NAMES))
        raise UnknownGpuError(gpu_model, tuple(difflib.get_close_matches(gpu_model, names, n=3, cutoff=0.4)))
    said = form if gpu_form is None or not gpu_form.strip() else gpu_form
    if said is None:
        return specs[name, next((one for one in USUAL_FORMS if one in known), known[0])]
    plain = plain_form(said)
    if (name, plain) in specs:
        return specs[name, plain]
    # "H200 in the form NVL" is a board of its own with another memory.
    other = f"{name.removesuffix('-80GB')}-{plain}"
    if (other, plain) in specs:
        return specs[other, plain]
    raise ValueError(f"gpu_form is {said!r}: {name} is known as {', '.join(sorted(known))}.")


@cache
def offered_spec(gpu_model: str, gpu_form: str | None) -> GpuSpec | None:
    """The spec of an offer's GPU, the slowest where the seller does not say the form; None when there is none."""
    return spec_for(dict(gpu_specs()), gpu_model, gpu_form)


def _meant(gpu_model: str) -> tuple[str, str | None]:
    """Name of the spec and the form that a GPU's name means; the name itself when it means none."""
    bare = _bare(gpu_model)
    if bare in _names():
        return _names()[bare]
    form = FORM_IN_NAME.search(bare)
    rest = FORM_IN_NAME.sub("", bare)
    if form is not None and rest in _names():
        return _names()[rest][0], form.group()
    return gpu_model, None


@cache
def _names() -> Mapping[str, tuple[str, str | None]]:
    """What each known name means: a spec's model, and the form where the name says it."""
    own: dict[str, tuple[str, str | None]] = {_bare(model): (model, None) for model, _ in gpu_specs()}
    return own | {_bare(name): meant for name, meant in GPU_NAMES.items()}


def _bare(name: str) -> str:
    """The name squashed, without the maker's and the family's."""
    plain = squashed(name)
    for family in FAMILIES:
        plain = plain.removeprefix(family)
    return plain
