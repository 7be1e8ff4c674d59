"""How large is a model, and how much memory does one token of its context take? Shapes of open models."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"

# Bytes per parameter; fp4 with one scale per block of 32 (0.5 + 1/16). "fp8w16" keeps fp8 weights, computes in 16 bit.
WEIGHT_BYTES: Mapping[str, float] = {"fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp8w16": 1.0, "fp4": 0.5625}
KV_BYTES: Mapping[str, float] = {"fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp8w16": 2.0, "fp4": 1.0}

# What the name of a release adds to the name of its shape.
RELEASE = re.compile(r"[-_ ](instruct|chat|it|hf|base|thinking|fp8|bf16|fp16|nvfp4|awq|gptq|v\d[\d.]*|\d{4})$")


class UnknownShapeError(LookupError):
    """No shape is known for this model; `suggestions` are the nearest names."""

    def __init__(self, model_id: str, suggestions: tuple[str, ...]) -> None:
        self.model_id, self.suggestions = model_id, suggestions
        hint = f" Did you mean {', '.join(suggestions)}?" if suggestions else ""
        super().__init__(f"No model shape is named {model_id!r}.{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """Parameters in billions, layers, and elements of keys and values kept per token and layer.

    `kv_elements_per_token_layer` is 2 x kv heads x head dimension, or the latent width with multi-head latent
    attention. `experts` and `experts_active` are 1 for a dense model.
    """

    model_id: str
    name: str
    params_total_b: float
    params_active_b: float
    layers: int
    hidden: int
    kv_elements_per_token_layer: int
    experts: int = 1
    experts_active: int = 1
    source: str = ""

    def weight_gb(self, precision: str) -> float:
        """GB (10^9 bytes) of all weights."""
        return self.params_total_b * WEIGHT_BYTES[precision]

    def kv_bytes_per_token(self, precision: str) -> float:
        """Bytes of keys and values of one token in all layers."""
        return self.kv_elements_per_token_layer * self.layers * KV_BYTES[precision]

    def params_touched_b(self, batch: float) -> float:
        """Billions of parameters read in one decode step: with experts, those that a batch of tokens is routed to.

        Each of `batch` tokens picks k of E experts; an expert stays untouched with probability (1 - k/E)^batch.
        """
        if self.experts == 1:
            return self.params_total_b
        share_active = self.experts_active / self.experts
        experts_b = (self.params_total_b - self.params_active_b) / (1 - share_active)
        touched = 1 - float((1 - share_active) ** batch)
        return self.params_total_b - experts_b + experts_b * touched


@cache
def model_shapes() -> Mapping[str, ModelShape]:
    """The shipped shapes by id."""
    with (DATA / "model_shapes.csv").open(encoding="utf-8", newline="") as file:
        shapes = [
            ModelShape(
                model_id=row["model_id"],
                name=row["name"],
                params_total_b=float(row["params_total_b"]),
                params_active_b=float(row["params_active_b"]),
                layers=int(row["layers"]),
                hidden=int(row["hidden"]),
                kv_elements_per_token_layer=int(row["kv_elements_per_token_layer"]),
                experts=int(row["experts"]),
                experts_active=int(row["experts_active"]),
                source=row["source"],
            )
            for row in csv.DictReader(file)
        ]
    return {shape.model_id: shape for shape in shapes}


def model_shape(model_id: str) -> ModelShape:
    """The shape of a model by its id, name, or the id of a release (`meta-llama/Llama-3.3-70B-Instruct`).

    UnknownShapeError with the nearest names.
    """
    name = model_id.strip().lower().rpartition("/")[2].removeprefix("meta-")
    rest = name
    while rest:
        if _squashed(rest) in _names():
            return _names()[_squashed(rest)]
        rest, was = RELEASE.sub("", rest), rest
        if rest == was:
            break
    raise UnknownShapeError(model_id, tuple(difflib.get_close_matches(name, model_shapes(), n=3, cutoff=0.4)))


@cache
def _names() -> Mapping[str, ModelShape]:
    """Shapes by id and by name, without signs between the words."""
    shapes = model_shapes().values()
    return {_squashed(name): shape for shape in shapes for name in (shape.name, shape.model_id)}


def _squashed(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())
