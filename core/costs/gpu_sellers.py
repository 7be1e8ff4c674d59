"""Whose are the machines that a provider lets?"""

from __future__ import annotations

from core.costs.gpus import GpuOffer

MARKETPLACES = frozenset({"vast", "tensordock", "saladcloud", "lium", "runpod"})
"""Providers that let machines of other owners, as they say themselves: Vast.ai, TensorDock and Lium those of
independent hosts, SaladCloud those of private people, RunPod (its Community Cloud) partly."""


def is_of_others(offer: GpuOffer) -> bool:
    """Whether the machine may belong to a host that the reader has no contract with."""
    return offer.provider_id in MARKETPLACES
