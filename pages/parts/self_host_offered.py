"""What can be chosen from on "rent or call": the GPUs and countries of the offers."""

from __future__ import annotations

from core.costs.gpu_specs import gpu_specs
from pages.parts.state import catalog


def gpus() -> tuple[str, ...]:
    """Every GPU on offer whose speed can be estimated."""
    return tuple(sorted({one.gpu_model for one in catalog().gpu_offers()} & {model for model, _ in gpu_specs()}))


def gpu_ids() -> tuple[str, ...]:
    """The same in a list of choices: saved scenarios join those by blanks."""
    return tuple(model.replace(" ", "_") for model in gpus())


def gpu_named(gpu_id: str) -> str:
    """The GPU of an id."""
    return gpu_id.replace("_", " ")


def countries() -> list[str]:
    """Every country in which a machine is offered."""
    return sorted({one.country for one in catalog().gpu_offers() if one.country})
