"""What does an evaluation of cash flows say, in figures and, where there is no figure, in words?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RoiKind = Literal["known", "no_investment", "no_time", "below_minus_one", "too_large"]
PaybackKind = Literal["at_once", "paid_back", "never", "lost_again", "nothing_saved"]
IrrKind = Literal["one", "none", "several"]

_ROI_NOTES = {
    "known": "",
    "no_investment": "undefined: nothing is invested in month 0, so there is nothing the gain could be divided by",
    "no_time": "undefined: there is no month after month 0 to spread the return over",
    "too_large": "undefined: the yearly return exceeds every number",
    "below_minus_one": "undefined: more than the investment is lost, and such a loss has no yearly rate",
}
_PAYBACK_NOTES = {
    "at_once": "at once: the running sum is never below 0",
    "paid_back": "",
    "never": "none: the running sum never reaches 0",
    "lost_again": "none: the running sum reaches 0 but is below it again at the end",
    "nothing_saved": "none: nothing is invested and nothing is saved",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Irr:
    """Every monthly rate above -1 at which the NPV is 0; `per_year` is (1 + m)^12 - 1, None unless there is one m.

    `note` says in words why there is none, or that there are several; it is empty when there is nothing to say.
    """

    kind: IrrKind
    per_year: float | None
    rates_per_month: tuple[float, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoiReport:
    """What some monthly cash flows are worth. Amounts USD, shares and rates as fractions (0.1 is 10 %).

    `months` counts those after month 0. `gain_usd` is the sum of all later flows, `net_usd` of all flows. Paybacks are
    in months, interpolated within a month. The kinds say why a figure is undefined, none or several, for a program (the
    pages have sentences for them in each language); the notes say it in English for a notebook, and are empty when
    there is nothing to say.
    """

    months: int
    investment_usd: float
    gain_usd: float
    net_usd: float
    npv_usd: float
    roi_share: float | None
    annualised_roi_share: float | None
    payback_months: float | None
    discounted_payback_months: float | None
    roi_kind: RoiKind
    annualised_roi_kind: RoiKind
    payback_kind: PaybackKind
    discounted_payback_kind: PaybackKind
    irr: Irr

    @property
    def irr_per_year(self) -> float | None:
        return self.irr.per_year

    @property
    def irr_per_month(self) -> float | None:
        return None if self.irr.per_year is None else self.irr.rates_per_month[0]

    @property
    def irr_note(self) -> str:
        return self.irr.note

    @property
    def roi_note(self) -> str:
        return _ROI_NOTES[self.roi_kind]

    @property
    def annualised_roi_note(self) -> str:
        return _ROI_NOTES[self.annualised_roi_kind]

    @property
    def payback_note(self) -> str:
        return _PAYBACK_NOTES[self.payback_kind]

    @property
    def discounted_payback_note(self) -> str:
        return _PAYBACK_NOTES[self.discounted_payback_kind]
