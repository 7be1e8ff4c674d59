"""What does a workload cost on a model's API in its first month, and at any other volume?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TypeVar

from core.costs.conventions import Floats
from core.costs.monthly_prices import Fallback, PriceGap, plan_lengths, request_cost
from core.costs.monthly_ways import ModelWay
from core.costs.tokens import PriceSheet
from core.money import TOKENS_PER_MTOK
from core.workload import Workload

Volume = TypeVar("Volume", float, Floats)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiBill:
    """A model's bill in USD: of one billed request, and of the workload's first month with its retries.

    `key` is `provider/model`; `notes` name missing prices that were replaced by dearer ones.
    """

    key: str
    usd_per_request: float
    usd_per_month: float
    notes: tuple[Fallback, ...] = ()


def api_bill(sheet: PriceSheet, workload: Workload, at: dt.datetime) -> ApiBill | None:
    """The bill at the list prices of a moment (UTC); None when the model has no price for input or output then."""
    try:
        cost, notes = request_cost(ModelWay(name=sheet.key, sheet=sheet), workload, plan_lengths(workload), at)
    except PriceGap:
        return None
    usd_per_request = float(cost.total)
    return ApiBill(
        key=sheet.key,
        usd_per_request=usd_per_request,
        usd_per_month=api_cost_usd(usd_per_request, workload, float(workload.requests_per_month)),
        notes=notes,
    )


def api_cost_usd(usd_per_request: float, workload: Workload, requests_per_month: Volume) -> Volume:
    """Monthly USD for one volume of requests or for an array of them: retries are billed like requests."""
    return requests_per_month * (1 + workload.retry_share) * usd_per_request


def billed_mtok(workload: Workload) -> float:
    """Mtok (input and output) that are billed in the first month, those of retries included."""
    return workload.tokens_per_month * (1 + workload.retry_share) / TOKENS_PER_MTOK
