"""Which models does an endpoint offer that the catalog does not know, knows by another name, or still lists?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.costs.tokens import PriceSheet

State = Literal["same", "renamed", "new", "gone"]
Meant = Callable[[str], str | None]
"""`provider/model` of the catalog that an offered name means, None when it means none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """One model: its name at the endpoint ("" when it is gone) and in the catalog ("" when it is new)."""

    name: str
    state: State
    catalog_name: str = ""


def compare(
    offered: Iterable[str], provider_id: str, sheets: Mapping[str, PriceSheet], meant: Meant
) -> list[ModelState]:
    """Every offered model in the order given, then every model of the provider that the catalog still sells but the
    endpoint does not, by name.
    """
    found: list[ModelState] = []
    for name in offered:
        # Gemini's list says "models/..." before each name.
        bare = name.removeprefix("models/")
        own = f"{provider_id}/{bare}"
        if own in sheets:
            found.append(ModelState(name=name, state="same", catalog_name=own))
            continue
        known = meant(bare)
        found.append(ModelState(name=name, state="renamed" if known else "new", catalog_name=known or ""))
    seen = {one.catalog_name for one in found}
    gone = sorted(
        key for key, one in sheets.items() if one.provider_id == provider_id and not one.is_retired and key not in seen
    )
    return found + [ModelState(name="", state="gone", catalog_name=key) for key in gone]
