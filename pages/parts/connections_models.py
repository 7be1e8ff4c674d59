"""Which of an endpoint's models does the catalog know, by their own name, by an exported one or by an alias?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.catalog import offered as offered_models
from core.catalog.aliases import UnknownModelError
from core.catalog.offered import ModelState
from core.costs.tokens import PriceSheet
from core.usage.imports.models import match_model
from pages.parts.state import catalog


def compare(offered: Iterable[str], provider_id: str, sheets: Mapping[str, PriceSheet]) -> list[ModelState]:
    """Every offered model, and every model of the provider that the catalog still sells but the endpoint does not."""

    def meant(name: str) -> str | None:
        return match_model(name, provider_id, sheets) or _alias(f"{provider_id}/{name}")

    return offered_models.compare(offered, provider_id, sheets, meant)


def _alias(name: str) -> str | None:
    try:
        return catalog().llm.resolve(name)
    except UnknownModelError:
        return None
