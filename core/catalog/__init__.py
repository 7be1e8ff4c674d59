"""Prices that carry source and date: GPU offers and model prices in one SQLite (or PostgreSQL) database."""

from core.catalog.aliases import UnknownModelError
from core.catalog.database import DatabaseProblem
from core.catalog.store import Catalog, open_catalog
from core.costs.tokens import CostQuote, NoPriceError, TokenUsage

__all__ = [
    "Catalog",
    "CostQuote",
    "DatabaseProblem",
    "NoPriceError",
    "TokenUsage",
    "UnknownModelError",
    "open_catalog",
]
