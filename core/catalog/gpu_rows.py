"""What does one row of the shipped GPU files mean? Text in, typed values out, a sentence for each row refused."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.catalog.tables import GpuSpecRow, Provider
from core.costs.gpus import PURCHASE_OPTIONS, GpuOffer
from core.money import micro_usd, micro_usd_rounded, usd_from_micro

REGION_WORDS = ("yes", "no", "list", "unknown")
USD_PER_GPU_HOUR_LOW, USD_PER_GPU_HOUR_HIGH = 0.005, 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row of a file that was left out, and why."""

    file: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.reason}"


Row = Mapping[str, str]
Value = TypeVar("Value")


def read_rows(path: Path, build: Callable[[Row], Value], refused: list[RefusedRow]) -> Iterator[Value]:
    """Builds a value of every row of a CSV file; a row that cannot be used goes to `refused` and the rest goes on."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                try:
                    yield build(row)
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    refused.append(RefusedRow(file=path.name, row=number, reason=_sentence(error)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        refused.append(RefusedRow(file=path.name, row=0, reason=f"the file cannot be read ({type(error).__name__})"))


def _sentence(error: Exception) -> str:
    return f"the column {error} is missing" if isinstance(error, KeyError) else str(error)


def number(row: Row, column: str, *, low: float = 0) -> float:
    """A finite number above `low`; ValueError names the column."""
    text = row[column]
    try:
        value = float(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{column} is {text!r}: a number is needed") from error
    if not low < value < float("inf"):
        raise ValueError(f"{column} is {text!r}: it must be above {low:g}")
    return value


def optional(row: Row, column: str) -> float | None:
    """As `number`, None for an empty cell."""
    return number(row, column) if row[column].strip() else None


def words(row: Row, column: str) -> str | None:
    """Text of a cell, None when empty."""
    return row[column].strip() or None


def day(row: Row, column: str) -> dt.date | None:
    """A day such as 2026-10-01, None when empty; ValueError for another shape or a day in the future."""
    text = row[column].strip()
    if not text:
        return None
    try:
        value = dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{column} is {text!r}: a day such as 2026-10-01 is needed") from error
    if value > dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1):
        raise ValueError(f"{column} is {text!r}: a day in the future")
    return value


def _one_of(row: Row, column: str, allowed: tuple[str, ...]) -> Any:
    if row[column] not in allowed:
        raise ValueError(f"{column} is {row[column]!r}: one of {', '.join(allowed)} is needed")
    return row[column]


def _required(row: Row, column: str) -> str:
    text = row[column].strip()
    if not text:
        raise ValueError(f"{column} is empty")
    return text


def _price(row: Row, column: str) -> int:
    try:
        return micro_usd_rounded(_required(row, column))
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from error


def offer(row: Row) -> tuple[GpuOffer, str]:
    """An offer and the raw text of its price; ValueError names what is wrong."""
    gpu_count = int(number(row, "gpu_count"))
    if gpu_count != number(row, "gpu_count"):
        raise ValueError(f"gpu_count is {row['gpu_count']!r}: a whole number is needed")
    micro = _price(row, "usd_per_hour")
    per_gpu = float(usd_from_micro(micro)) / gpu_count
    if not USD_PER_GPU_HOUR_LOW <= per_gpu <= USD_PER_GPU_HOUR_HIGH:
        raise ValueError(
            f"usd_per_hour is {row['usd_per_hour']!r}: {per_gpu:.4g} USD per GPU-hour is outside "
            f"{USD_PER_GPU_HOUR_LOW:g} to {USD_PER_GPU_HOUR_HIGH:g}"
        )
    found = GpuOffer(
        provider_id=_required(row, "provider_id"),
        instance_type=_required(row, "instance_type"),
        gpu_model=_required(row, "gpu_model"),
        gpu_form=words(row, "gpu_form"),
        gpu_count=gpu_count,
        gpu_memory_gb=optional(row, "gpu_memory_gb"),
        region=words(row, "region"),
        country=words(row, "country"),
        purchase_option=_one_of(row, "purchase_option", PURCHASE_OPTIONS),
        commitment_months=int(number(row, "commitment_months", low=-1)),
        micro_usd_per_hour=micro,
        as_of=day(row, "as_of"),
        as_of_note=row["as_of_note"],
        region_confirmed=_one_of(row, "region_confirmed", REGION_WORDS),
        basis=row["basis"],
        source=_required(row, "source"),
        licence=row["licence"],
    )
    return found, row["usd_per_hour"]


def spec(row: Row) -> GpuSpecRow:
    """A GPU's spec; ValueError names what is wrong."""
    return GpuSpecRow(
        gpu_model=_required(row, "gpu_model"),
        gpu_form=_required(row, "gpu_form"),
        vendor=_required(row, "vendor"),
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
        source=_required(row, "source"),
        note=row["note"],
    )


def provider(row: Row) -> Provider:
    """A provider's facts; an empty cell is unknown, never 0."""

    def micro(column: str) -> int | None:
        return micro_usd(row[column]) if row[column].strip() else None

    return Provider(
        provider_id=_required(row, "provider_id"),
        name=_required(row, "name"),
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
