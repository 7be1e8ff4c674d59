"""What can be chosen from on "rent or call": the GPUs and countries of the offers."""

from __future__ import annotations

from collections.abc import Sequence

from core.costs.gpu_specs import gpu_specs
from core.costs.gpus import GpuOffer
from pages.parts.state import catalog


def gpus() -> tuple[str, ...]:
    """Every GPU on offer whose speed can be estimated."""
    return catalog().of_offers(_gpus)


def _gpus(offers: Sequence[GpuOffer]) -> tuple[str, ...]:
    return tuple(sorted({one.gpu_model for one in offers} & {model for model, _ in gpu_specs()}))


def gpu_ids() -> tuple[str, ...]:
    """The same in a list of choices: saved scenarios join those by blanks."""
    return tuple(model.replace(" ", "_") for model in gpus())


def gpu_named(gpu_id: str) -> str:
    """The GPU of an id."""
    return gpu_id.replace("_", " ")


def countries() -> list[str]:
    """Every country in which a machine is offered."""
    return catalog().of_offers(_countries)


def _countries(offers: Sequence[GpuOffer]) -> list[str]:
    return sorted({one.country for one in offers if one.country})
