"""Whose are the machines that a provider lets, and how many GPUs has the largest at a price per GPU?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.costs.gpus import USUAL_MACHINE_GPUS, GpuOffer

MachineSizes = Mapping[tuple[str, str], int]
"""GPUs of the largest machine that a provider states for a GPU, by (provider, GPU model)."""

MARKETPLACES = frozenset({"vast", "tensordock", "saladcloud", "lium", "runpod"})
"""Providers that let machines of other owners, as they say themselves: Vast.ai, TensorDock and Lium those of
independent hosts, SaladCloud those of private people, RunPod (its Community Cloud) partly."""


def is_of_others(offer: GpuOffer) -> bool:
    """Whether the machine may belong to a host that the reader has no contract with."""
    return offer.provider_id in MARKETPLACES


def machine_sizes(offers: Iterable[GpuOffer]) -> MachineSizes:
    """The largest machine that each provider states for each GPU; prices per GPU state none."""
    found: dict[tuple[str, str], int] = {}
    for one in offers:
        if not one.is_per_gpu:
            key = one.provider_id, one.gpu_model
            found[key] = max(one.gpu_count, found.get(key, 0))
    return found


def most_gpus(offer: GpuOffer, sizes: MachineSizes) -> int:
    """GPUs of the largest machine that may be taken at an offer's price.

    At a price per GPU of an unstated machine that is `USUAL_MACHINE_GPUS`. A marketplace's is the lowest of single
    listings, so there it is what the marketplace states for that GPU elsewhere, else one.
    """
    if not offer.is_per_gpu:
        return offer.gpu_count
    return sizes.get((offer.provider_id, offer.gpu_model), 1) if is_of_others(offer) else USUAL_MACHINE_GPUS
