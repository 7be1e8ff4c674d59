"""How are models, their aliases and their prices stored? Rows are closed, never overwritten or deleted."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field, SQLModel


class LlmModel(SQLModel, table=True):
    """One model of one provider, ids as in genai-prices."""

    __tablename__ = "llm_model"
    provider_id: str = Field(primary_key=True)
    model_id: str = Field(primary_key=True)
    name: str
    context_window_tokens: int | None = None
    is_retired: bool = False
    modalities: str = "text"
    note: str = ""
    layer: str = "bundle"


class LlmAlias(SQLModel, table=True):
    """Another way to write a model's id; `kind` is exact, prefix, suffix, contains or regex; low `rank` first."""

    __tablename__ = "llm_alias"
    id: int | None = Field(default=None, primary_key=True)
    provider_id: str = Field(index=True)
    model_id: str
    kind: str
    pattern: str
    rank: int = 0


class LlmPriceRow(SQLModel, table=True):
    """One price, units as in `core.costs.tokens.PriceRow`; `closed_at` is when a newer snapshot replaced it.

    `grade` is empty (a correction says its grade in `note`), and stays because databases in use demand the column.
    """

    __tablename__ = "llm_price"
    __table_args__ = (Index("llm_price_model", "provider_id", "model_id"),)
    id: int | None = Field(default=None, primary_key=True)
    snapshot_id: int | None = None
    closed_at: dt.datetime | None = None
    provider_id: str
    model_id: str
    component: str
    processing: str
    micro_usd_per_mtok: int = Field(sa_column=Column(BigInteger, nullable=False))
    price_text: str
    min_input_tokens: int = 0
    threshold_op: str = ">"
    valid_from: dt.datetime | None = None
    valid_to: dt.datetime | None = None
    window_start_minute: int | None = None
    window_end_minute: int | None = None
    weekdays: int = 127
    layer: str
    source: str
    as_of: dt.date | None = None
    grade: str = ""
    note: str = ""
    created_at: dt.datetime


class ProviderDiscount(SQLModel, table=True):
    """A discount the user negotiated with a provider: share (0 to 1) in millionths, with its reason."""

    __tablename__ = "provider_discount"
    provider_id: str = Field(primary_key=True)
    share_millionths: int
    reason: str
    created_at: dt.datetime


LLM_TABLES = (LlmModel, LlmAlias, LlmPriceRow, ProviderDiscount)
