"""What does one row of the shipped GPU files mean? Text in; an offer, a spec or a provider out."""

from __future__ import annotations

from core.catalog.feeds.parsed import checked_price
from core.catalog.rows import Row, day, number, one_of, optional, required, words
from core.catalog.tables import GpuSpecRow, Provider
from core.costs.gpus import PURCHASE_OPTIONS, GpuOffer
from core.i18n import SaidError, said
from core.money import micro_usd

REGION_WORDS = ("yes", "no", "list", "unknown")


def _price(row: Row, column: str, gpu_count: int) -> int:
    try:
        return checked_price(required(row, column), gpu_count)
    except SaidError as error:
        raise SaidError(said("catalog.row_column", column=column, why=error.said)) from error


def offer(row: Row) -> tuple[GpuOffer, str]:
    """An offer and the raw text of its price; ValueError names what is wrong."""
    gpu_count = int(number(row, "gpu_count"))
    if gpu_count != number(row, "gpu_count"):
        raise SaidError(said("catalog.row_not_whole", column="gpu_count", given=row["gpu_count"]))
    found = GpuOffer(
        provider_id=required(row, "provider_id"),
        instance_type=required(row, "instance_type"),
        gpu_model=required(row, "gpu_model"),
        gpu_form=words(row, "gpu_form"),
        gpu_count=gpu_count,
        gpu_memory_gb=optional(row, "gpu_memory_gb"),
        region=words(row, "region"),
        country=words(row, "country"),
        purchase_option=one_of(row, "purchase_option", PURCHASE_OPTIONS),
        commitment_months=int(number(row, "commitment_months", low=-1)),
        micro_usd_per_hour=_price(row, "usd_per_hour", gpu_count),
        as_of=day(row, "as_of"),
        as_of_note=row["as_of_note"],
        region_confirmed=one_of(row, "region_confirmed", REGION_WORDS),
        basis=row["basis"],
        source=required(row, "source"),
        licence=row["licence"],
    )
    return found, row["usd_per_hour"]


def spec(row: Row) -> GpuSpecRow:
    """A GPU's spec; ValueError names what is wrong."""
    return GpuSpecRow(
        gpu_model=required(row, "gpu_model"),
        gpu_form=required(row, "gpu_form"),
        vendor=required(row, "vendor"),
        architecture=row["architecture"],
        memory_gb=number(row, "memory_gb"),
        bandwidth_gb_per_s=number(row, "bandwidth_gb_per_s"),
        bf16_dense_tflops=optional(row, "bf16_dense_tflops"),
        fp16_dense_tflops=optional(row, "fp16_dense_tflops"),
        fp8_dense_tflops=optional(row, "fp8_dense_tflops"),
        fp4_dense_tflops=optional(row, "fp4_dense_tflops"),
        int8_dense_tops=optional(row, "int8_dense_tops"),
        tdp_w=optional(row, "tdp_w"),
        interconnect=row["interconnect"],
        interconnect_gb_per_s=optional(row, "interconnect_gb_per_s"),
        bf16_measured_tflops=optional(row, "bf16_measured_tflops"),
        fp8_measured_tflops=optional(row, "fp8_measured_tflops"),
        year=None if not row["year"] else int(row["year"]),
        confidence=row["confidence"],
        source=required(row, "source"),
        note=row["note"],
    )


def provider(row: Row) -> Provider:
    """A provider's facts; an empty cell is unknown, never 0."""

    def micro(column: str) -> int | None:
        return micro_usd(row[column]) if row[column].strip() else None

    return Provider(
        provider_id=required(row, "provider_id"),
        name=required(row, "name"),
        home=words(row, "home"),
        billing_increment=words(row, "billing_increment"),
        is_prepaid={"yes": True, "no": False}.get(row["is_prepaid"].strip()),
        min_topup_micro_usd=micro("min_topup_usd"),
        min_topup_note=words(row, "min_topup_note"),
        payment=words(row, "payment"),
        storage_note=words(row, "storage_note"),
        storage_micro_usd_per_gb_month=micro("storage_usd_per_gb_month"),
        egress_note=words(row, "egress_note"),
        egress_micro_usd_per_gb=micro("egress_usd_per_gb"),
        notes=words(row, "notes"),
        source=words(row, "source"),
        status=words(row, "status"),
        checked_on=day(row, "checked_on"),
    )
