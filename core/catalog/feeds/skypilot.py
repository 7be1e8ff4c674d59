"""What does SkyPilot's catalog of one cloud (`vms.csv`) say? Prices per instance and hour, undated.

Facts about the format: columns differ in order and number, `GpuInfo` is JSON or Python text, some clouds give memory
per GPU and some in total, and several clouds need a rule of their own (`RULES`).
"""

from __future__ import annotations

import ast
import contextlib
import csv
import datetime as dt
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.catalog.feeds.gpu_names import GpuName, read_name
from core.catalog.feeds.parsed import FeedError, Parsed, checked_price, decoded
from core.catalog.rows import RefusedRow
from core.costs.gpu_places import country_of
from core.costs.gpus import GpuOffer, PurchaseOption, RegionConfirmed
from core.i18n import said

NEEDED = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "Region")
LICENCE = "Apache-2.0 (skypilot repo); catalog repo licence not seen"
GPU_INFO_MAX_CHARS = 4_000
MIB_PER_GB = 1e9 / 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one cloud does differently."""

    is_memory_total: bool = False
    is_named_by_instance: bool = False
    has_real_regions: bool = True
    basis: str = "instance price"


RULES: Mapping[str, Rule] = {
    "vast": Rule(
        is_memory_total=True, is_named_by_instance=True, basis="median of the hosts of this shape, not the cheapest"
    ),
    "lambda": Rule(has_real_regions=False, basis="list price; the feed names every region, not real stock"),
}


def source_of(cloud: str) -> str:
    """The name under which a cloud's rows are kept; shipped rows of the same file bear it too."""
    return f"skypilot-org/skypilot-catalog catalogs/v8/{cloud}/vms.csv"


def parse(content: bytes, cloud: str, *, seen_on: dt.date | None = None) -> Parsed:
    """The GPU offers in one cloud's file; `seen_on` is the day it was fetched, None for a stored copy of unknown age.

    Rows without a GPU are passed over, rows that cannot be trusted are refused. FeedError for another kind of file.
    """
    reader = csv.DictReader(io.StringIO(decoded(content), newline=""))
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise FeedError(said("catalog.feed_no_skypilot", column=missing[0]))
    rule = RULES.get(cloud, Rule())
    name = f"skypilot {cloud}"
    found: dict[tuple[Any, ...], tuple[GpuOffer, str]] = {}
    refused: list[RefusedRow] = []
    try:
        for number, row in enumerate(reader, start=2):
            try:
                for offer, text in _offers(row, cloud, rule, seen_on):
                    _keep_cheapest(found, offer, text)
            except (ValueError, TypeError, KeyError) as error:
                refused.append(RefusedRow(file=name, row=number, reason=str(error)))
    except csv.Error as error:
        raise FeedError(said("catalog.feed_not_csv", error=error)) from error
    return Parsed(source=source_of(cloud), offers=list(found.values()), refused=refused, source_date=seen_on)


def _keep_cheapest(found: dict[tuple[Any, ...], tuple[GpuOffer, str]], offer: GpuOffer, text: str) -> None:
    """One offer per region: a zone or an exact duplicate adds nothing but perhaps a lower price."""
    key = offer.key
    if key not in found or offer.micro_usd_per_hour < found[key][0].micro_usd_per_hour:
        found[key] = (offer, text)


def _offers(row: Mapping[str, str], cloud: str, rule: Rule, seen_on: dt.date | None) -> list[tuple[GpuOffer, str]]:
    accelerator = (row["AcceleratorName"] or "").strip()
    if not accelerator:
        return []  # a machine without GPU, or (GCP) the host alone whose GPU is priced in another row
    if accelerator.lower().startswith(("tpu", "trainium", "inferentia", "gaudi")):
        raise ValueError(f"{accelerator} is no GPU")
    instance = (row["InstanceType"] or "").strip()
    if not instance:
        raise ValueError(f"{accelerator} is priced without the machine it needs")
    gpu_count = _count(row["AcceleratorCount"])
    gpu = _gpu(row, accelerator, instance, gpu_count, rule)
    region = (row["Region"] or "").strip() or None
    confirmed: RegionConfirmed = "yes" if region and rule.has_real_regions else "list"
    base = GpuOffer(
        provider_id=cloud,
        instance_type=instance,
        gpu_model=gpu.gpu_model,
        gpu_form=gpu.gpu_form,
        gpu_count=gpu_count,
        gpu_memory_gb=gpu.memory_gb,
        region=region if rule.has_real_regions else None,
        country=country_of(region) if rule.has_real_regions else None,
        purchase_option="on_demand",
        commitment_months=0,
        micro_usd_per_hour=1,
        as_of=seen_on,
        as_of_note="" if seen_on else "undated snapshot (stored copy)",
        region_confirmed=confirmed,
        basis=rule.basis,
        source=source_of(cloud),
        licence=LICENCE,
        layer="feed",
    )
    return _priced(base, row)


def _priced(base: GpuOffer, row: Mapping[str, str]) -> list[tuple[GpuOffer, str]]:
    """On demand and spot, as far as the row prices them; a spot price at or above the list price is none."""
    list_text, spot_text = (row.get("Price") or "").strip(), (row.get("SpotPrice") or "").strip()
    list_micro = checked_price(list_text, base.gpu_count) if list_text and float(list_text) else None
    spot_micro = checked_price(spot_text, base.gpu_count) if spot_text and float(spot_text) else None
    if list_micro is None and spot_micro is None:
        raise ValueError(f"{base.instance_type} has no price")
    found: list[tuple[PurchaseOption, int, str]] = []
    if list_micro is not None:
        found.append(("on_demand", list_micro, list_text))
    if spot_micro is not None and (list_micro is None or spot_micro < list_micro):
        found.append(("spot", spot_micro, spot_text))
    return [(replace(base, purchase_option=option, micro_usd_per_hour=micro), text) for option, micro, text in found]


def _count(text: str) -> int:
    count = float(text)
    if not count.is_integer() or not 1 <= count <= 128:
        raise ValueError(f"AcceleratorCount is {text!r}: a whole number from 1 to 128 is needed")
    return int(count)


def _gpu(row: Mapping[str, str], accelerator: str, instance: str, gpu_count: int, rule: Rule) -> GpuName:
    """The GPU from the name in GpuInfo, which is fuller than the column's, unless the instance names it best."""
    info_name, memory_gb = _gpu_info(row.get("GpuInfo") or "", gpu_count if rule.is_memory_total else 1)
    text = accelerator
    if rule.is_named_by_instance:
        text = re.sub(r"^\d+x-", "", instance).split("-")[0]
    named = read_name(text, memory_gb or _memory_in(accelerator))
    if named.gpu_form is None and info_name:
        with contextlib.suppress(ValueError):  # the longer name is only asked for the form
            named = replace(named, gpu_form=read_name(info_name, memory_gb).gpu_form)
    form = _form_in(instance)
    if form and named.gpu_form and form != named.gpu_form:
        return replace(named, gpu_form=None)  # two columns contradict each other: the form is not known
    return replace(named, gpu_form=named.gpu_form or form)


def _form_in(text: str) -> str | None:
    found = re.search(r"(SXM|PCI-?E|NVL(?!INK))", text.upper())
    return {"S": "SXM", "P": "PCIe", "N": "NVL"}[found[1][0]] if found else None


def _memory_in(text: str) -> float | None:
    found = re.search(r"(\d+)GB?\b", text.upper())
    return float(found[1]) if found else None


def _gpu_info(text: str, divisor: int) -> tuple[str, float | None]:
    """Name and memory per GPU (GB) from the GpuInfo column, written as JSON or as Python."""
    if not text or len(text) > GPU_INFO_MAX_CHARS:
        return "", None
    try:
        info = json.loads(text)
    except (ValueError, RecursionError):
        try:
            info = ast.literal_eval(re.sub(r"\bnull\b", "None", text))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return "", None
    try:
        first = info["Gpus"][0]
        size = float(first["MemoryInfo"]["SizeInMiB"]) / divisor
    except (KeyError, IndexError, TypeError, ValueError):
        return "", None
    # RunPod writes gigabytes into the MiB field.
    return str(first.get("Name") or ""), size if size < 1024 else size / MIB_PER_GB
