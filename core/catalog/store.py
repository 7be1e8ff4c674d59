"""The catalog: one place to ask what something costs, from which source, as of when."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from sqlalchemy import Engine

from core.catalog.database import open_engine, reading
from core.catalog.gpu_article import ArticleGpuRow, read_article
from core.catalog.gpu_store import Taken, load_offers, load_providers, load_specs, roll_back, snapshots
from core.catalog.llm_seed import seed_llm
from core.catalog.llm_store import LlmPrices
from core.catalog.rows import RefusedRow
from core.catalog.seed import OnProgress, seed
from core.catalog.tables import Snapshot
from core.catalog.writing import patiently
from core.costs.facts import DATA
from core.costs.gpus import GpuOffer, GpuSpec
from core.costs.tokens import CostQuote, TokenUsage

T = TypeVar("T")


class _Look(threading.local):
    """The version of the offers that this thread keeps to, None outside `Catalog.one_look`."""

    is_kept = False
    version: int | None = None


class Catalog:
    """Prices of GPUs and models in one database; use `open_catalog` to get one."""

    def __init__(self, engine: Engine, refused: Sequence[RefusedRow] = ()) -> None:
        self.engine = engine
        self.refused = tuple(refused)
        self.llm = LlmPrices(engine)
        self._look = _Look()
        self._offers: tuple[int, list[GpuOffer]] | None = None
        self._providers: tuple[int, dict[str, Mapping[str, Any]]] | None = None
        self._derived: dict[Callable[..., Any], tuple[int, Any]] = {}

    def gpu_offers(
        self,
        gpu: str | None = None,
        country: str | None = None,
        *,
        provider: str | None = None,
        purchase_option: str | None = None,
        at: dt.datetime | None = None,
    ) -> list[GpuOffer]:
        """Offers of a GPU model (`H100-80GB`), country (`KR`), provider and purchase option; no argument is all.

        `at` (UTC) gives the offers that were known then.
        """
        offers = self._current_offers() if at is None else load_offers(self.engine, at)
        wanted = {"gpu_model": gpu, "country": country, "provider_id": provider, "purchase_option": purchase_option}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        if not wanted:
            return list(offers)
        return [one for one in offers if all(getattr(one, name) == value for name, value in wanted.items())]

    def _current_offers(self) -> list[GpuOffer]:
        version = self.version
        if self._offers is None or self._offers[0] != version:
            self._offers = (version, load_offers(self.engine))
        return self._offers[1]

    def of_offers(self, make: Callable[[Sequence[GpuOffer]], T]) -> T:
        """What `make` finds in all current offers, worked out once until they change."""
        version = self.version
        kept = self._derived.get(make)
        if kept is None or kept[0] != version:
            kept = self._derived[make] = (version, make(self._current_offers()))
        found: T = kept[1]
        return found

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """Within it this thread looks once whether the offers have changed, and then keeps to what it has found."""
        look = self._look
        look.is_kept, look.version = True, None
        try:
            yield
        finally:
            look.is_kept = False

    @property
    def version(self) -> int:
        """The last snapshot: every change of the offers is one, so another process's refresh is noticed.

        Raises DatabaseProblem, as does everything that reads prices.
        """
        look = self._look
        if look.is_kept and look.version is not None:
            return look.version
        with reading(self.engine) as opened:
            look.version = int(opened.exec_driver_sql("SELECT coalesce(max(id), 0) FROM snapshot").scalar_one())
        return look.version

    def gpu_specs(self) -> dict[tuple[str, str], GpuSpec]:
        """Specs by (GPU model, form), as stored beside the offers for whoever reads the database.

        The program's own arithmetic takes them from `core.costs.gpu_specs`, which needs no database.
        """
        return load_specs(self.engine)

    def providers(self) -> dict[str, Mapping[str, Any]]:
        """What is known of each provider, by id."""
        version = self.version
        if self._providers is None or self._providers[0] != version:
            self._providers = (version, load_providers(self.engine))
        return self._providers[1]

    def gpu_snapshots(self) -> list[Snapshot]:
        """What was taken in of GPU offers, newest first; `python -m core.catalog.refresh --list` prints it."""
        return snapshots(self.engine)

    def roll_back_gpu_offers(self, snapshot_id: int) -> Taken:
        """Makes the offers what they were after that snapshot; ValueError for one that does not exist.

        `python -m core.catalog.refresh --undo` goes back to the one before.
        """
        return roll_back(self.engine, snapshot_id)

    def article_gpu_rows(self) -> tuple[ArticleGpuRow, ...]:
        """The article's provider table: labelled, dated, unverified, and never ranked."""
        return read_article(DATA / "article_gpu_offers.csv")[0]

    def quote(
        self, model: str, usage: TokenUsage, at: dt.datetime | None = None, processing: str = "standard"
    ) -> CostQuote:
        """What `usage` costs on `model` (`provider/model` or an alias) at a time (UTC; None is now).

        Raises UnknownModelError (with `suggestions`) and NoPriceError.
        """
        return self.llm.quote(model, usage, at=at, processing=processing)

    def close(self) -> None:
        """Closes the database's connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_catalog(url: str | None = None, on_progress: OnProgress | None = None) -> Catalog:
    """Opens the catalog at a database URL (None: from the settings), making and filling it when it is not whole.

    Raises DatabaseProblem when the database cannot be used; nothing is deleted then.
    """
    if url is None:
        import os

        from core.settings import Settings

        url = Settings.from_env(os.environ).database_url
    engine = patiently(lambda: open_engine(url))
    refused = patiently(lambda: seed(engine, on_progress))
    refused += patiently(lambda: seed_llm(engine, on_progress))
    refused += read_article(DATA / "article_gpu_offers.csv")[1]
    if on_progress:
        on_progress(1.0, "done")
    return Catalog(engine, refused)
