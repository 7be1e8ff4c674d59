"""At which monthly rates is the net present value of some cash flows zero, and is that really all of them?

Newton's method alone finds one root and cannot say whether there is another: libraries differ by 30 points on the same
flows. Here the roots are isolated first, each between two rates, and only then computed. With s = -ln(1 + rate) the
NPV is a sum of exponentials c_k e^(k s), so every rate above -100 % is some real s and nothing overflows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import pyxirr

from core.costs.conventions import Floats
from core.costs.roi_polish import SAME_RATE, polished, polished_multiple

PICO_USD = 1e-12
"""The smallest amount of this program; what is less is a rounding error, not a payment."""

# An NPV this small beside the sum of its own terms cannot be told from zero in float64.
TOUCH_SHARE = 1e-13

# Below this width (in s, about the monthly rate) an interval is taken for one root of high multiplicity.
MIN_HALF_WIDTH = 1e-9
TAYLOR_ORDER = 4

# exp(700) is still a float64; a part that reaches further than exp(200) is split in any case.
MAX_EXPONENT, MAX_REACH = 700.0, 200.0

# Relative error of a discounted flow, from its logarithm and exponential in float64.
ROUNDING = 2e-15

BISECTIONS = 120


def without_noise(flows: Sequence[float]) -> list[float]:
    """The flows with amounts below the smallest one of the program set to 0; a small flow beside large ones is real."""
    return [flow if abs(flow) >= PICO_USD else 0.0 for flow in flows]


def sign_changes(flows: Sequence[float]) -> int:
    """How often the flows change sign, zeros left out; by Descartes' rule no fewer than the rates there are."""
    signs = [flow > 0 for flow in flows if flow]
    return sum(one != other for one, other in pairwise(signs))


def zero_rates(flows: Sequence[float]) -> tuple[float, ...]:
    """Every monthly rate above -1 at which the NPV of `flows` (month 0 first) is 0, ascending, each once."""
    changes = sign_changes(flows)
    if changes == 0:
        return ()
    curve = _Curve.of(flows)
    low, high = curve.limits()
    found = [_Root(low=low, high=high)] if changes == 1 else _merged(curve, _isolated(curve, low, high))
    return tuple(sorted(_rate(curve, flows, root) for root in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Root:
    """A simple root between `low` and `high`, or (`order` above 1) a multiple one at `low`, which equals `high`."""

    low: float
    high: float
    order: int = 1

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class _Curve:
    """The NPV as a function of s: signs and logarithms of the flows that are not zero, and their months."""

    month: Floats
    log_size: Floats
    sign: Floats

    @classmethod
    def of(cls, flows: Sequence[float]) -> Self:
        values = np.asarray(flows, dtype=np.float64)
        month = np.flatnonzero(values)
        kept = values[month]
        return cls((month - month[0]).astype(np.float64), np.log(np.abs(kept)), np.sign(kept))

    def limits(self) -> tuple[float, float]:
        """An interval that holds all roots: beyond it the first or the last flow outweighs all others (Cauchy)."""
        largest = self.log_size.max()
        low = -math.log1p(math.exp(min(MAX_EXPONENT, largest - self.log_size[0])))
        high = math.log1p(math.exp(min(MAX_EXPONENT, largest - self.log_size[-1])))
        # Uneven margins: a root at a round rate, 0 above all, should not fall on a point where intervals are split.
        return low - 0.0137, high + 0.0271

    def terms(self, s: float) -> Floats:
        """Discounted flows at s, all multiplied by one positive number so that the largest is 1."""
        logs = self.log_size + self.month * s
        terms: Floats = self.sign * np.exp(logs - logs.max())
        return terms

    def value(self, s: float) -> float:
        return math.fsum(self.terms(s).tolist())

    def is_zero(self, s: float) -> bool:
        terms = self.terms(s)
        return abs(math.fsum(terms.tolist())) <= TOUCH_SHARE * float(np.abs(terms).sum())


def _isolated(curve: _Curve, low: float, high: float) -> list[_Root]:
    """Splits the interval until each part surely has no root, a monotone curve, or a curve that bends one way only.

    A common factor e^(-a s) moves no root, so months are counted from their weighted mean: the bounds become tight.
    """
    found: list[_Root] = []
    parts = [(low, high)]
    while parts:
        start, end = parts.pop()
        middle, half = (start + end) / 2, (end - start) / 2
        terms = curve.terms(middle)
        weight = np.abs(terms)
        month = curve.month - float((weight * curve.month).sum() / weight.sum())
        order, is_flat = _sure_derivative(terms, month, half)
        if order == 0:
            continue
        if order == 1:
            found += _crossings(curve, start, end)
        elif order == 2:
            found += _bowl(curve, month, start, end)
        elif is_flat or half < MIN_HALF_WIDTH:
            is_root = curve.is_zero(middle) or _crossings(curve, start, end)
            found += [_Root(low=middle, high=middle, order=3)] if is_root else []
        else:
            parts += [(start, middle), (middle, end)]
    return found


def _sure_derivative(terms: Floats, month: Floats, half: float) -> tuple[int | None, bool]:
    """The lowest derivative (0 is the curve itself, 2 at most) that surely keeps its sign over a part, if any does.

    Taylor's series around the middle with Lagrange's remainder: within `half`, the j-th derivative differs from its
    value in the middle by at most sum_i half^i / i! |derivative j + i| + sum |term month^j| u^p / p! e^u with
    u = |month| half.
    The second answer: all three are so close to zero in the middle that rounding hides their sign.
    """
    reach = np.minimum(np.abs(month) * half, MAX_REACH)
    rest = reach**TAYLOR_ORDER / math.factorial(TAYLOR_ORDER) * np.exp(reach) + ROUNDING
    powers = [terms]
    for _ in range(TAYLOR_ORDER + 1):
        powers.append(powers[-1] * month)
    sums = [abs(float(power.sum())) for power in powers]
    sizes = [np.abs(power) for power in powers[:3]]
    for order, size in enumerate(sizes):
        change = sum(half**i / math.factorial(i) * sums[order + i] for i in range(1, TAYLOR_ORDER))
        if sums[order] > change + float((size * rest).sum()):
            return order, False
    return None, all(sums[order] <= ROUNDING * float(size.sum()) for order, size in enumerate(sizes))


def _crossings(curve: _Curve, start: float, end: float) -> list[_Root]:
    """The root of a monotone curve in [start, end), if it has one there."""
    first, last = curve.value(start), curve.value(end)
    if first == 0 or first * last < 0:
        return [_Root(low=start, high=end)]
    return []


def _bowl(curve: _Curve, month: Floats, start: float, end: float) -> list[_Root]:
    """Roots of a curve that bends one way: none, one that only touches zero, or one on either side of the extremum."""

    def slope(s: float) -> float:
        return math.fsum((curve.terms(s) * month).tolist())

    if slope(start) * slope(end) >= 0:
        return _crossings(curve, start, end)
    extremum = _bisected(slope, start, end)
    if curve.is_zero(extremum):
        return [_Root(low=extremum, high=extremum, order=2)]
    return _crossings(curve, start, extremum) + _crossings(curve, extremum, end)


def _bisected(function: Callable[[float], float], start: float, end: float) -> float:
    """Where a continuous function changes its sign between `start` and `end`."""
    is_up = function(start) < 0
    for _ in range(BISECTIONS):
        middle = (start + end) / 2
        if middle in (start, end):
            break
        if (function(middle) < 0) == is_up:
            start = middle
        else:
            end = middle
    return (start + end) / 2


def _merged(curve: _Curve, roots: list[_Root]) -> list[_Root]:
    """Neighbours between which the NPV cannot be told from zero are one root: the one of the highest order."""
    kept: list[_Root] = []
    for root in sorted(roots, key=lambda one: one.middle):
        if kept and curve.is_zero((kept[-1].middle + root.middle) / 2):
            kept[-1] = max(kept[-1], root, key=lambda one: one.order)
        else:
            kept.append(root)
    return kept


def _rate(curve: _Curve, flows: Sequence[float], root: _Root) -> float:
    """The monthly rate of an isolated root: pyxirr's answer if it is this root, ours by bisection if it is another."""
    if root.order > 1:
        return polished_multiple(flows, math.expm1(-root.middle), sign_changes(flows))
    ours = math.expm1(-_bisected(curve.value, root.low, root.high))
    if ours <= -1:
        return -1.0  # nearer to it than float64 can say
    rate = pyxirr.irr(list(flows), guess=ours, silent=True)
    is_this = rate is not None and abs(rate - ours) <= SAME_RATE * (1 + ours)
    return polished(flows, rate if rate is not None and is_this else ours)
