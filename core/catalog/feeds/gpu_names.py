"""Which GPU does a seller's name mean? Words in, our name and form out; what the words do not say stays unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Memory in GB of each GPU as made. A listing that deviates by more than a quarter is another card than it names.
MEMORY_GB: dict[str, float] = {
    "A10": 24, "A10G": 24, "A16": 16, "A30": 24, "A40": 48, "A100-40GB": 40, "A100-80GB": 80,
    "B200": 180, "B300": 288, "GB200": 186, "GB300": 288, "GH200": 96, "H100-80GB": 80, "H100-NVL": 94,
    "H20": 96, "H200": 141, "H200-NVL": 141, "K80": 12, "L4": 24, "L40": 48, "L40S": 48, "MI250X": 128, "MI300X": 192,
    "MI325X": 256, "MI350X": 288, "MI355X": 288, "P4": 8, "P40": 24, "P100": 16, "T4": 16,
    "V100-16GB": 16, "V100-32GB": 32, "Quadro RTX 4000": 8, "Quadro RTX 5000": 16, "Quadro RTX 6000": 24,
    "Quadro RTX 8000": 48, "RTX 2060": 6, "RTX 2070": 8, "RTX 2000 Ada": 16, "RTX 3060": 12, "RTX 3060 Ti": 8,
    "RTX 3070": 8, "RTX 3080": 10, "RTX 3080 Ti": 12, "RTX 3090": 24, "RTX 3090 Ti": 24, "RTX 4000 Ada": 20,
    "RTX 4060": 8, "RTX 4060 Ti": 16, "RTX 4070": 12, "RTX 4070 SUPER": 12, "RTX 4070 Ti": 12,
    "RTX 4070 Ti SUPER": 16, "RTX 4080": 16, "RTX 4080 SUPER": 16, "RTX 4090": 24, "RTX 4090D": 24,
    "RTX 5000 Ada": 32, "RTX 5060": 8, "RTX 5060 Ti": 16, "RTX 5070": 12, "RTX 5070 Ti": 16, "RTX 5080": 16,
    "RTX 5090": 32, "RTX 6000 Ada": 48, "RTX A4000": 16, "RTX A4500": 20, "RTX A5000": 24,
    "RTX A6000": 48, "RTX PRO 4000": 24, "RTX PRO 4500": 32, "RTX PRO 5000": 48, "RTX PRO 6000": 96,
}  # fmt: skip
UNCHECKED = ("RTX A2000",)  # sold with 6 and with 12 GB
TOLERANCE = 0.25
_BY_LETTERS = {re.sub(r"[^A-Z0-9]", "", name.upper()): name for name in (*MEMORY_GB, *UNCHECKED)}
_SYNONYMS = {
    "A6000": "RTX A6000", "A5000": "RTX A5000", "A4000": "RTX A4000", "A4500": "RTX A4500", "6000ADA": "RTX 6000 Ada",
    "RTX4070STI": "RTX 4070 Ti SUPER", "RTX4070S": "RTX 4070 SUPER", "RTX4080S": "RTX 4080 SUPER",
    "QRTX5000": "Quadro RTX 5000", "QRTX6000": "Quadro RTX 6000", "QRTX8000": "Quadro RTX 8000",
    "RTX6000ADAGENERATION": "RTX 6000 Ada",
}  # fmt: skip
_FORMS = (("SXM", r"SXM\d?"), ("PCIe", r"PCI-?E"), ("NVL", r"NVL"), ("OAM", r"OAM"))
_PRO_FORMS = (("Max-Q", r"MAX-?Q"), ("Server", r"SERVER|\bS\b|S$"), ("Workstation", r"WORKSTATION|\bW[SK]\b"))
_NOISE = r"NVIDIA|AMD|GEFORCE|TESLA|BLACKWELL|INSTINCT|\(FORM UNSTATED\)|NVLINK"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuName:
    """Our name of a GPU, its form (None when not said) and its memory in GB (None when nobody says)."""

    gpu_model: str
    gpu_form: str | None
    memory_gb: float | None


def read_name(text: str, memory_gb: float | None = None) -> GpuName:
    """The GPU a seller means; `memory_gb` is what the listing says per GPU. ValueError for one that is not known."""
    words = " ".join(re.sub(_NOISE, " ", text.upper().replace("_", " ")).split())
    if "MIG" in words.split():
        raise ValueError(f"{text!r} is a slice of a GPU")
    found = re.search(r"(?<![A-Z0-9])(\d+)\s?G[BI]?[B]?(?![A-Z0-9])", words)
    named_gb = float(found[1]) if found else None
    if found:
        words = words.replace(found[0], " ")
    words, form = _form(words, _FORMS)
    if "PRO" in words:
        words, form = _form(words, _PRO_FORMS)
    letters = re.sub(r"[^A-Z0-9]", "", words)
    memory = memory_gb if memory_gb is not None else named_gb
    model = _model(letters, form, memory)
    if model is None:
        raise ValueError(f"{text!r} is no GPU known here")
    expected = MEMORY_GB.get(model)
    if expected and memory and abs(memory / expected - 1) > TOLERANCE:
        raise ValueError(f"{text!r} with {memory:.0f} GB is not the card it names, which has {expected:g} GB")
    return GpuName(gpu_model=model, gpu_form=form, memory_gb=expected or memory)


def _form(words: str, forms: tuple[tuple[str, str], ...]) -> tuple[str, str | None]:
    for form, pattern in forms:
        if re.search(pattern, words):
            return re.sub(pattern, " ", words), form
    return words, None


def _model(letters: str, form: str | None, memory_gb: float | None) -> str | None:
    """A few names need form or memory to be told apart; without them they stay unknown instead of being guessed."""
    if letters in {"H100", "H200"} and form == "NVL":
        return f"{letters}-NVL"
    if letters == "H100":
        return "H100-NVL" if memory_gb and memory_gb > 90 else "H100-80GB"
    if letters in {"A100", "V100"}:
        sizes = (40, 80) if letters == "A100" else (16, 32)
        size = next((one for one in sizes if memory_gb and abs(memory_gb / one - 1) <= TOLERANCE), None)
        return f"{letters}-{size}GB" if size else None
    return _BY_LETTERS.get(letters) or _SYNONYMS.get(letters)
