"""In which ways can a workload be served, and on which terms is each billed?

A way is one thing that can be compared: a model at its list price, several models that share the requests, either of
them through a gateway, or a fleet whose monthly cost is a function of the volume.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.costs.conventions import Floats
from core.costs.limits import require_within
from core.costs.tokens import PriceSheet

WayKind = Literal["call", "gateway", "rent"]
MonthlyCost = Callable[[Floats], Floats]
CostAtSpeed = Callable[[Floats, Floats], Floats]

SHARE_SUM_TOLERANCE = 1e-6
MAX_FEE_USD_PER_MONTH = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is added to or taken from a metered bill, in this order: discount, fee share, fixed fee, VAT.

    bill = (metered x (1 - discount_share) x (1 + fee_share) + fee_usd_per_month) x (1 + vat_share); all shares are
    fractions. A discount applies to the metered part only, VAT to everything. Raises ValueError naming the
    field: a discount or VAT outside 0 to 1, a fee share outside 0 to 10, a fee outside 0 to `MAX_FEE_USD_PER_MONTH`.
    """

    discount_share: float = 0.0
    fee_share: float = 0.0
    fee_usd_per_month: float = 0.0
    vat_share: float = 0.0

    def __post_init__(self) -> None:
        require_within("discount_share", self.discount_share, 0, 1)
        require_within("fee_share", self.fee_share, 0, 10)
        require_within("fee_usd_per_month", self.fee_usd_per_month, 0, MAX_FEE_USD_PER_MONTH)
        require_within("vat_share", self.vat_share, 0, 1)


LIST_TERMS = Terms()

# What a gateway commonly adds: the article's assumed monthly fee and Korean VAT; readers can change both.
GATEWAY_TERMS = Terms(fee_usd_per_month=29.0, vat_share=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWay:
    """One model at its list price.

    `processing` is the tier of the requests that are not batched; `batch_share` (None: the workload's) go at the
    batch price. A model without a batch price bills them at `processing`, and the result says so. Raises ValueError
    for a `batch_share` outside 0 to 1.
    """

    name: str
    sheet: PriceSheet
    processing: str = "standard"
    batch_share: float | None = None
    terms: Terms = LIST_TERMS
    kind: WayKind = "call"

    def __post_init__(self) -> None:
        if self.batch_share is not None:
            require_within("batch_share", self.batch_share, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixPart:
    """A model and the share of all requests it serves (0 to 1)."""

    model: ModelWay
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MixWay:
    """Several models that share the requests, as a router sends them. Shares add up to 1, else ValueError."""

    name: str
    parts: tuple[MixPart, ...]
    terms: Terms = LIST_TERMS
    kind: WayKind = "call"

    def __post_init__(self) -> None:
        for part in self.parts:
            require_within("share", part.share, 0, 1)
        total = sum(part.share for part in self.parts)
        if abs(total - 1) > SHARE_SUM_TOLERANCE:
            raise ValueError(f"The shares of {self.name!r} add up to {total:g}: make them add up to 1.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWay:
    """Machines of one's own: `monthly_cost_usd` maps requests per month to USD per month.

    The function takes a float array of any shape and gives one of the same shape; it may be a step function. It sees
    billed requests, retries included. Price declines and token lengths do not act on it. `monthly_lines_usd` divides
    the same cost into lines, if it is known. `sources` are those of the machines' prices, each with its date.

    How fast the machines are is an estimate: `cost_at_speed_usd` maps requests and a factor of the speed (arrays of one
    shape) to USD, and `speed_band` holds the factors, around 1, between which four of five come out. Each simulated
    path then has a factor of its own for all its months. Without the function the speed is certain. Raises ValueError
    for a band that does not reach from 0.001 or more over 1 to 1,000 or less.
    """

    name: str
    monthly_cost_usd: MonthlyCost
    monthly_lines_usd: Callable[[Floats], Mapping[str, Floats]] | None = None
    sources: tuple[tuple[str, dt.date | None], ...] = ()
    cost_at_speed_usd: CostAtSpeed | None = None
    speed_band: tuple[float, float] = (1.0, 1.0)
    kind: WayKind = "rent"

    def __post_init__(self) -> None:
        low, high = self.speed_band
        require_within("speed_band", low, 1e-3, 1)
        require_within("speed_band", high, 1, 1e3)


Way = ModelWay | MixWay | FleetWay


def parts_of(way: ModelWay | MixWay) -> tuple[MixPart, ...]:
    """The models that serve requests of a way, each with its share; a model alone serves all."""
    found = way.parts if isinstance(way, MixWay) else (MixPart(model=way, share=1.0),)
    return tuple(part for part in found if part.share > 0)


def through_gateway(inner: ModelWay | MixWay, *, name: str, terms: Terms) -> ModelWay | MixWay:
    """The same model or mix, billed by a gateway on its `terms` (which replace those of `inner`)."""
    if isinstance(inner, MixWay):
        return MixWay(name=name, parts=inner.parts, terms=terms, kind="gateway")
    return ModelWay(
        name=name,
        sheet=inner.sheet,
        processing=inner.processing,
        batch_share=inner.batch_share,
        terms=terms,
        kind="gateway",
    )
