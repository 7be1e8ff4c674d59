"""What must be served each month? The one value every page reads, with its limits and its form in an address."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, Self

ProblemKind = Literal[
    "not_a_number", "too_small", "too_large", "not_whole", "not_a_choice", "left_out", "not_a_date", "empty",
    "shares_exceed_one",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An input that could not be taken as given: which field, what was wrong, what was used instead.

    `used` is empty where nothing was, or a default that has no name. With `is_share` the numbers are fractions of 1,
    which readers see as percent.
    """

    field: str
    kind: ProblemKind
    given: str
    used: str
    low: float | None = None
    high: float | None = None
    is_share: bool = False

    def __str__(self) -> str:
        limits = f" ({self.low:g} to {self.high:g})" if self.low is not None and self.high is not None else ""
        return f"{self.field}: {self.given!r} is {self.kind.replace('_', ' ')}{limits}; {self.used} is used."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Smallest and largest value of a numeric field and its name in the address; a share is a fraction of 1."""

    low: float
    high: float
    code: str
    is_integer: bool = False
    is_optional: bool = False
    is_share: bool = False


LIMITS: Mapping[str, Limit] = {
    "requests_per_month": Limit(low=1, high=100_000_000_000, code="req", is_integer=True),
    "input_tokens": Limit(low=1, high=10_000_000, code="in", is_integer=True),
    "output_tokens": Limit(low=0, high=1_000_000, code="out", is_integer=True),
    "input_spread": Limit(low=0, high=5, code="insd"),
    "output_spread": Limit(low=0, high=5, code="outsd"),
    "cached_share": Limit(low=0, high=1, code="cached", is_share=True),
    "cache_write_share": Limit(low=0, high=1, code="cwrite", is_share=True),
    "batch_share": Limit(low=0, high=1, code="batch", is_share=True),
    "peak_hour_share": Limit(low=0, high=1, code="peak", is_share=True),
    "growth_per_month": Limit(low=-0.5, high=1, code="grow", is_share=True),
    "seasonality": Limit(low=0, high=1, code="season", is_share=True),
    "retry_share": Limit(low=0, high=1, code="retry", is_share=True),
    "peak_to_average": Limit(low=1, high=100, code="pta"),
    "horizon_months": Limit(low=1, high=60, code="months", is_integer=True),
    "budget_usd_per_month": Limit(low=0, high=1e12, code="budget", is_optional=True),
}
NAME_CODE = "name"
NAME_MAX_CHARS = 80
SHARES_TOLERANCE = 1e-9
"""What two shares may add up to above 1: an address keeps twelve digits of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Requests of one kind and how they develop. Shares and growth are fractions (0.3 is 30 %), never percent.

    Token counts are means per request; `input_tokens` includes cached and cache-written ones. Spreads are the
    coefficient of variation (standard deviation / mean) of a lognormal. `seasonality` is the amplitude of a yearly
    wave, `peak_hour_share` the part of requests in a provider's dear hours, `peak_to_average` the busiest hour over
    the mean hour. Raises ValueError naming the field for anything outside `LIMITS`.
    """

    name: str = ""
    requests_per_month: int = 50_000
    input_tokens: int = 1_500
    output_tokens: int = 500
    input_spread: float = 0.6
    output_spread: float = 0.6
    cached_share: float = 0.0
    cache_write_share: float = 0.0
    batch_share: float = 0.0
    peak_hour_share: float = 0.3
    growth_per_month: float = 0.0
    seasonality: float = 0.0
    retry_share: float = 0.0
    peak_to_average: float = 3.0
    horizon_months: int = 12
    budget_usd_per_month: float | None = None

    def __post_init__(self) -> None:
        for field, limit in LIMITS.items():
            value = getattr(self, field)
            if value is None and limit.is_optional:
                continue
            if not isinstance(value, int | float) or not limit.low <= value <= limit.high:
                raise ValueError(f"{field} is {value!r}: give a number from {limit.low:g} to {limit.high:g}.")
        if self.cached_share + self.cache_write_share > 1 + SHARES_TOLERANCE:
            raise ValueError("cached_share and cache_write_share add up to more than 1: lower one of them.")

    @property
    def tokens_per_month(self) -> int:
        """Input and output tokens of the first month."""
        return self.requests_per_month * (self.input_tokens + self.output_tokens)

    def to_mapping(self) -> dict[str, str]:
        """The address form: short codes to text, only what differs from the defaults, numbers to twelve digits."""
        plain = Workload()
        found = {
            limit.code: f"{getattr(self, field):.12g}"
            for field, limit in LIMITS.items()
            if getattr(self, field) is not None and getattr(self, field) != getattr(plain, field)
        }
        return ({NAME_CODE: self.name} if self.name else {}) | found

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> tuple[Self, list[Problem]]:
        """A workload from an address or a file (codes or field names); what is unusable is clamped and reported."""
        problems: list[Problem] = []
        plain = asdict(cls())
        for field, limit in LIMITS.items():
            given = values.get(limit.code, values.get(field))
            if given is not None and not (limit.is_optional and str(given).strip() == ""):
                plain[field] = _number(field, limit, given, plain[field], problems)
        plain["name"] = str(values.get(NAME_CODE, ""))[:NAME_MAX_CHARS]
        total = plain["cached_share"] + plain["cache_write_share"]
        if total > 1 + SHARES_TOLERANCE:
            kept = round(1 - plain["cached_share"], 12)
            problems.append(
                Problem(
                    field="cache_write_share",
                    kind="shares_exceed_one",
                    given=f"{total:g}",
                    used=f"{kept:g}",
                    is_share=True,
                )
            )
            plain["cache_write_share"] = kept
        return cls(**plain), problems


def _number(field: str, limit: Limit, given: object, default: object, problems: list[Problem]) -> object:
    """`given` as a number within `limit`, else the nearest allowed value (or the default when it is no number)."""
    text = str(given).strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    kind: ProblemKind | None = None
    used: object = int(value) if limit.is_integer and math.isfinite(value) else value
    if math.isnan(value):
        kind, used = "not_a_number", default
    elif not limit.low <= value <= limit.high:
        kind, used = ("too_small", limit.low) if value < limit.low else ("too_large", limit.high)
        used = int(used) if limit.is_integer else float(used)
    elif used != value:
        kind = "not_whole"
    if kind:
        problems.append(
            Problem(
                field=field,
                kind=kind,
                given=text[:40],
                used="" if used is None else f"{used:.12g}",
                low=limit.low,
                high=limit.high,
                is_share=limit.is_share,
            )
        )
    return used


FIELDS = tuple(field.name for field in fields(Workload))

# Names are text keys `workload.preset_<key>`. The article's rows give tokens per request only; three input tokens for
# one output token is this program's assumption, stated where they are shown.
PRESETS: Mapping[str, Workload] = {
    "chat": Workload(cached_share=0.3, growth_per_month=0.05),
    "rag": Workload(requests_per_month=200_000, input_tokens=6_000, output_tokens=400, cached_share=0.5),
    "coding_agent": Workload(
        requests_per_month=30_000,
        input_tokens=40_000,
        output_tokens=1_500,
        input_spread=1.0,
        cached_share=0.7,
        cache_write_share=0.1,
    ),
    "batch_labels": Workload(requests_per_month=5_000_000, input_tokens=800, output_tokens=20, batch_share=1.0),
    "article_mvp": Workload(requests_per_month=50_000, input_tokens=1_500, output_tokens=500),
    "article_growth": Workload(requests_per_month=500_000, input_tokens=2_250, output_tokens=750),
    "article_mid": Workload(requests_per_month=2_000_000, input_tokens=3_000, output_tokens=1_000),
    "article_large": Workload(requests_per_month=10_000_000, input_tokens=3_750, output_tokens=1_250),
}
