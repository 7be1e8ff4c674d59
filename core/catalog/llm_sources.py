"""Where do model prices come from when they are refreshed? One line for each source, for the command and the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.catalog.feeds import litellm_prices
from core.catalog.feeds.parsed import ParsedModels


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """A feed of model prices: its address, and what reads it (with the day it was downloaded).

    `source` is what its prices are called in the catalog, `file_type` the end of its file's name.
    """

    source: str
    url: str
    parse: Callable[[bytes, dt.date], ParsedModels]
    file_type: str = "json"


MODEL_SOURCES: Mapping[str, ModelSource] = {
    "litellm": ModelSource(source=litellm_prices.SOURCE, url=litellm_prices.URL, parse=litellm_prices.parse),
}
"""By the name that the command and the page give the choice by; the first is the command's when none is named."""
