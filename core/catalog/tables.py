"""How are GPU offers, specs and providers stored, and what does the database know of itself? Offers are closed, never
overwritten or deleted.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class Meta(SQLModel, table=True):
    """Facts about the database itself: the digest of each data file taken in, and each feed's last ETag."""

    key: str = Field(primary_key=True)
    value: str


class Snapshot(SQLModel, table=True):
    """One taking-in of one source: what it was, when, how many rows, what changed."""

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(index=True)
    kind: str
    taken_at: dt.datetime
    source_date: dt.date | None = None
    row_count: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    digest: str = ""


class Provider(SQLModel, table=True):
    """Who rents GPUs, and how it wants to be paid; None is unknown."""

    provider_id: str = Field(primary_key=True)
    name: str
    home: str | None = None
    billing_increment: str | None = None
    is_prepaid: bool | None = None
    min_topup_micro_usd: int | None = None
    min_topup_note: str | None = None
    payment: str | None = None
    storage_note: str | None = None
    storage_micro_usd_per_gb_month: int | None = None
    egress_note: str | None = None
    egress_micro_usd_per_gb: int | None = None
    notes: str | None = None
    source: str | None = None
    status: str | None = None
    checked_on: dt.date | None = None


class GpuSpecRow(SQLModel, table=True):
    """One GPU in one form; see `core.costs.gpus.GpuSpec` for the units."""

    __tablename__ = "gpu_spec"
    gpu_model: str = Field(primary_key=True)
    gpu_form: str = Field(primary_key=True)
    vendor: str
    architecture: str
    memory_gb: float
    bandwidth_gb_per_s: float
    bf16_dense_tflops: float | None = None
    fp16_dense_tflops: float | None = None
    fp8_dense_tflops: float | None = None
    fp4_dense_tflops: float | None = None
    int8_dense_tops: float | None = None
    tdp_w: float | None = None
    interconnect: str
    interconnect_gb_per_s: float | None = None
    bf16_measured_tflops: float | None = None
    fp8_measured_tflops: float | None = None
    year: int | None = None
    confidence: str
    source: str
    note: str


class GpuOfferRow(SQLModel, table=True):
    """One offer at one price from `valid_from` (UTC) until `valid_to` (None: still); see `core.costs.gpus.GpuOffer`."""

    __tablename__ = "gpu_offer"
    __table_args__ = (Index("gpu_offer_current", "valid_to", "gpu_model"),)
    id: int | None = Field(default=None, primary_key=True)
    snapshot_id: int = Field(foreign_key="snapshot.id", index=True)
    closed_by: int | None = Field(default=None, foreign_key="snapshot.id")
    valid_from: dt.datetime
    valid_to: dt.datetime | None = None
    provider_id: str
    instance_type: str
    gpu_model: str
    gpu_form: str | None = None
    gpu_count: int
    gpu_memory_gb: float | None = None
    region: str | None = None
    country: str | None = None
    purchase_option: str
    commitment_months: int
    micro_usd_per_hour: int
    price_text: str
    as_of: dt.date | None = None
    as_of_note: str
    region_confirmed: str
    basis: str
    source: str
    licence: str
    layer: str = "facts"


GPU_TABLES = (Meta, Snapshot, Provider, GpuSpecRow, GpuOfferRow)
