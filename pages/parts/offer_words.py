"""What are a GPU, its provider and its place called, in the reader's language?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from babel import Locale

from core.costs.gpus import GpuOffer
from core.i18n import DEFAULT_LANGUAGE
from pages.parts.gpu_facts import fact
from pages.parts.state import lang, tr

COUNTRY_CODE = re.compile(r"[A-Z]{2}")
CONTINENTS = frozenset({"AF", "AS", "EU", "NA", "OC", "SA"})
Providers = Mapping[str, Mapping[str, Any]]


def provider_name(providers: Providers, provider_id: str) -> str:
    """The name a provider is known by."""
    return str(providers.get(provider_id, {}).get("name") or provider_id)


def region_text(region: str | None) -> str:
    """A region as its source names it; of a marketplace's places (`Texas, US, NA`) what says something."""
    if not region:
        return tr("gpu_clouds.no_region")
    if COUNTRY_CODE.fullmatch(region):
        return country_text(region)
    place, *rest = (part.strip() for part in region.split(","))
    if len(rest) != 2 or rest[1] not in CONTINENTS:
        return fact(region)
    code = rest[0]
    if place in ("", _country(code, DEFAULT_LANGUAGE)):
        return country_text(code)
    return f"{place}, {code if lang() == DEFAULT_LANGUAGE else country_text(code)}"


def place_text(offer: GpuOffer) -> str:
    """Where an offer is: its region, else its country, else that nobody says."""
    return country_text(offer.country) if offer.country and not offer.region else region_text(offer.region)


def country_text(code: str) -> str:
    """The name of a country (ISO 3166) in the reader's language; the code of one that has none."""
    return _country(code, lang())


@cache
def _country(code: str, language: str) -> str:
    return str(Locale.parse(language).territories.get(code, code))


def gpu_text(offer: GpuOffer) -> str:
    """GPU and form."""
    if not offer.gpu_form or offer.gpu_model.endswith(offer.gpu_form):
        return offer.gpu_model
    return f"{offer.gpu_model} {offer.gpu_form}"
