"""How large is a model, and how much memory does one token of its context take? Shapes of open models."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from core.costs.facts import DATA, squashed

# Bytes per parameter; four bits with one scale per block of 32 (0.5 + 1/16). "fp8w16" and "int4" keep narrow weights
# and compute in 16 bit, as AWQ and GPTQ do.
WEIGHT_BYTES: Mapping[str, float] = {
    "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp8w16": 1.0, "fp4": 0.5625, "int4": 0.5625,
}  # fmt: skip
KV_BYTES: Mapping[str, float] = {
    "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp8w16": 2.0, "fp4": 1.0, "int4": 2.0,
}  # fmt: skip
PRECISION_NAMES: Mapping[str, str] = {
    "float16": "fp16", "half": "fp16", "16bit": "fp16", "bfloat16": "bf16", "8bit": "fp8", "float8": "fp8",
    "w8a8": "int8", "nvfp4": "fp4", "mxfp4": "fp4", "awq": "int4", "gptq": "int4", "w4a16": "int4", "4bit": "int4",
}  # fmt: skip

# What the name of a release adds to the name of its shape.
RELEASE = re.compile(
    r"[-_ ](instruct|chat|it|hf|base|thinking|preview|distill|dynamic|quantized|w4a16|w8a8|v\d[\d.]*|\d{4}|"
    r"(fp|bf|int|nvfp|mxfp)(4|8|16)|awq|gptq)$"
)
# Models that are another's architecture, trained further.
SAME_SHAPE: Mapping[str, str] = {
    "llama-3-8b": "llama-3.1-8b", "llama-3-70b": "llama-3.1-70b", "deepseek-v3.1": "deepseek-v3",
    "deepseek-r1-distill-llama-8b": "llama-3.1-8b", "deepseek-r1-distill-llama-70b": "llama-3.3-70b",
    "deepseek-r1-distill-qwen-14b": "qwen2.5-14b", "deepseek-r1-distill-qwen-32b": "qwen2.5-32b",
    "qwq-32b": "qwen2.5-32b", "qwen2.5-coder-7b": "qwen2.5-7b", "qwen2.5-coder-32b": "qwen2.5-32b",
    "mistral-small-3": "mistral-small-24b", "mistral-small-3.1-24b": "mistral-small-24b",
    "mistral-large-123b": "mistral-large", "mistral-nemo-12b": "mistral-nemo",
}  # fmt: skip


def precision_named(precision: str) -> str:
    """A precision by its name or a usual other one, in any case; ValueError naming `precision` for what is none."""
    name = squashed(precision) if isinstance(precision, str) else ""
    found = PRECISION_NAMES.get(name, name)
    if found not in WEIGHT_BYTES:
        raise ValueError(f"precision is {precision!r}: give one of {', '.join(WEIGHT_BYTES)}.")
    return found


def wider_precisions(precision: str) -> tuple[str, ...]:
    """Those that a GPU could fall back to, the next wider one first: none for 16 bits."""
    if WEIGHT_BYTES[precision] >= WEIGHT_BYTES["fp16"]:
        return ()
    return {"fp4": ("fp8", "fp16"), "int4": ("fp8w16", "fp16")}.get(precision, ("fp16",))


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

    @property
    def experts_b(self) -> float:
        """Billions of parameters in the experts that a token may or may not be routed to; 0 for a dense model."""
        if self.experts == 1:
            return 0.0
        return (self.params_total_b - self.params_active_b) / (1 - self.experts_active / self.experts)

    @property
    def expert_width(self) -> float:
        """Inner width of one expert, from its three matrices (up, gate, down) per layer; 0 for a dense model."""
        return self.experts_b * 1e9 / (self.experts * self.layers * 3 * self.hidden)

    def params_touched_b(self, batch: float) -> float:
        """Billions of parameters read in one decode step: with experts, those that a batch of tokens is routed to.

        Each of `batch` tokens picks k of E experts; an expert stays untouched with probability (1 - k/E)^batch.
        """
        if self.experts == 1:
            return self.params_total_b
        untouched = float((1 - self.experts_active / self.experts) ** batch)
        return self.params_total_b - self.experts_b * untouched


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

    UnknownShapeError with the nearest names, ValueError naming `model` for what is no name.
    """
    if not isinstance(model_id, str):
        raise ValueError(f"model is {model_id!r}: give the name of a model, such as 'llama-3.3-70b'.")
    name = model_id.strip().lower().rpartition("/")[2].removeprefix("meta-")
    rest = name
    while rest:
        if squashed(rest) in _names():
            return _names()[squashed(rest)]
        rest, was = RELEASE.sub("", rest), rest
        if rest == was:
            break
    raise UnknownShapeError(model_id, tuple(difflib.get_close_matches(name, model_shapes(), n=3, cutoff=0.4)))


@cache
def _names() -> Mapping[str, ModelShape]:
    """Shapes by id, by name and by the models that share them, without signs between the words."""
    shapes = model_shapes().values()
    own = {squashed(name): shape for shape in shapes for name in (shape.name, shape.model_id)}
    return own | {squashed(name): own[squashed(meant)] for name, meant in SAME_SHAPE.items()}
