"""What does a model cost, who says so, and which model is meant by a name? Price tables as frozen values."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, func, insert, select, update
from sqlmodel import col

from core.catalog.aliases import AliasIndex, UnknownModelError
from core.catalog.database import session
from core.catalog.llm_rows import price_values
from core.catalog.llm_sheets import COLUMNS, build_sheets, discounted, stored_names
from core.catalog.llm_tables import LlmModel, LlmPriceRow, ProviderDiscount
from core.costs.tokens import CostQuote, PriceRow, PriceSheet, TokenUsage, quote
from core.money import MICRO, usd_from_micro

VERSION_CHECK_S = 1.0
"""How long another process's change may go unnoticed; a look at the database at every quote would cost more than it."""

USER_LAYER = "user"
_P = LlmPriceRow


class LlmPrices:
    """Model prices of one database: sheets by `provider/model`, quotes, overrides."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._checked_at = float("-inf")
        self._version: tuple[Any, ...] | None = None
        self._sheets: dict[str, PriceSheet] = {}
        self._index: AliasIndex | None = None
        self._named: dict[str, PriceSheet] = {}

    def quote(
        self, model: str, usage: TokenUsage, at: dt.datetime | None = None, processing: str = "standard"
    ) -> CostQuote:
        """The exact cost of one request; see `core.costs.tokens.quote`. Raises UnknownModelError, NoPriceError."""
        return quote(self.sheet(model), usage, at, processing)

    def sheet(self, model: str) -> PriceSheet:
        """All prices of a model named `provider/model` or by an alias.

        A bare id means its maker's model, else that of the first reseller in the alphabet. UnknownModelError for a name
        that means no model, ValueError for what is no text.
        """
        self._refresh()
        if not isinstance(model, str):
            raise ValueError(f"model is {model!r}: give a name such as 'openai/gpt-4.1'.")
        found = self._named.get(model)
        if found is None:
            found = self._named[model] = self._sheets[self._resolve(model)]
        return found

    def sheets(self) -> Mapping[str, PriceSheet]:
        """Every model's prices by `provider/model`."""
        self._refresh()
        return self._sheets

    @property
    def version(self) -> str:
        """Changes whenever a price, an override or a discount does; for caches of what was computed from them."""
        self._refresh()
        return repr(self._version)

    def forget_version(self) -> None:
        """Looks at the database anew at the next question: this process has just changed it."""
        self._checked_at = float("-inf")

    def resolve(self, model: str) -> str:
        """`provider/model` of a name; UnknownModelError with the nearest names."""
        self._refresh()
        return self._resolve(model)

    def _resolve(self, model: str) -> str:
        if self._index is None:
            raise UnknownModelError(model, ())
        return self._index.resolve(model)

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._checked_at < VERSION_CHECK_S:
            return
        self._checked_at = now
        with session(self.engine) as opened:
            agreed = list(opened.scalars(select(ProviderDiscount).order_by(col(ProviderDiscount.provider_id))))
            version = (
                *opened.execute(select(func.max(_P.id), func.count(col(_P.closed_at)), func.count())).one(),
                *((one.provider_id, one.share_millionths, one.created_at) for one in agreed),
            )
            if version != self._version:
                rows = opened.execute(select(*COLUMNS).where(col(_P.closed_at).is_(None)).order_by(col(_P.id))).all()
                models = list(opened.scalars(select(LlmModel)))
                self._sheets, self._named = discounted(build_sheets(models, rows), agreed), {}
                self._index = stored_names(opened, self._sheets)
                self._version = version

    def set_override(
        self,
        model: str,
        micro_usd_per_mtok: Mapping[str, int],
        *,
        reason: str,
        processing: str = "standard",
        valid_from: dt.datetime | None = None,
    ) -> None:
        """Stores the user's own prices by component for a model and a processing, in place of earlier ones.

        They hold from `valid_from` (UTC; None is always) until removed. ValueError for a negative price;
        UnknownModelError for an unknown model.
        """
        if any(price < 0 for price in micro_usd_per_mtok.values()):
            raise ValueError("An override must not be negative: give a price in USD per Mtok of 0 or more.")
        provider_id, _, model_id = self.resolve(model).partition("/")
        now = dt.datetime.now(dt.UTC)
        rows = [
            PriceRow(
                component=component, processing=processing, micro_usd_per_mtok=price, valid_from=valid_from,
                layer=USER_LAYER, source="your own price", as_of=now.date(), note=reason,
                price_text=f"{usd_from_micro(price).normalize():f}",
            )
            for component, price in micro_usd_per_mtok.items()
        ]  # fmt: skip
        self.remove_override(model, processing=processing)
        with session(self.engine) as opened:
            if rows:
                opened.execute(insert(LlmPriceRow), [price_values(provider_id, model_id, row, now) for row in rows])
        self.forget_version()

    def remove_override(self, model: str, *, processing: str = "standard") -> None:
        """Closes the user's own prices of a model; the next layer holds again."""
        provider_id, _, model_id = self.resolve(model).partition("/")
        with session(self.engine) as opened:
            opened.execute(
                update(LlmPriceRow)
                .where(
                    col(_P.provider_id) == provider_id,
                    col(_P.model_id) == model_id,
                    col(_P.layer) == USER_LAYER,
                    col(_P.processing) == processing,
                    col(_P.closed_at).is_(None),
                )
                .values(closed_at=dt.datetime.now(dt.UTC))
            )
        self.forget_version()

    def overrides(self) -> list[tuple[str, PriceRow]]:
        """The user's own prices that hold: `provider/model` and price, in the order they were stored."""
        return [(key, row) for key, sheet in self.sheets().items() for row in sheet.rows if row.layer == USER_LAYER]

    def discounts(self) -> dict[str, tuple[float, str]]:
        """The user's discounts: share (0 to 1) and reason by provider."""
        with session(self.engine) as opened:
            found = opened.scalars(select(ProviderDiscount))
            return {one.provider_id: (one.share_millionths / MICRO, one.reason) for one in found}

    def set_discount(self, provider_id: str, share: float, reason: str) -> None:
        """Stores a discount on everything of a provider, from now on; 0 removes it.

        `share` is a fraction from 0 to below 1 (ValueError otherwise), kept to the millionth. The user's own prices
        are not discounted.
        """
        if not 0 <= share < 1:
            raise ValueError(f"The discount is {share:g}: give a share from 0 to below 1.")
        self.forget_version()
        with session(self.engine) as opened:
            if share == 0:
                known = opened.get(ProviderDiscount, provider_id)
                if known is not None:
                    opened.delete(known)
                return
            opened.merge(
                ProviderDiscount(
                    provider_id=provider_id,
                    share_millionths=round(share * MICRO),
                    reason=reason,
                    created_at=dt.datetime.now(dt.UTC),
                )
            )
