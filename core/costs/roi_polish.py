"""What are the last bits of a rate at which the net present value is zero? Newton's method in 50 digits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

POLISH_DIGITS = 50
POLISH_STEPS = 3

# Newton only tidies up: what moves a rate by more than this has wandered off to another one.
SAME_RATE = 1e-6

# A monthly rate this small is what float64 leaves of 0.
FLOAT_NOISE = 1e-15

# An m-fold root is known to about the m-th root of what float64 resolves, times this.
MULTIPLE_REACH, FLOAT_RESOLUTION = 30.0, 1e-16
MAX_MULTIPLICITY = 64


def polished(flows: Sequence[float], rate: float) -> float:
    """A few Newton steps in 50 digits: the last bits of a rate matter once it is raised to the twelfth power."""
    with localcontext() as context:
        context.prec = POLISH_DIGITS
        start = factor = 1 / (1 + Decimal(rate))
        exact = [Decimal(flow) for flow in flows]
        for _ in range(POLISH_STEPS):
            value, slope = _horner(exact, factor)
            if slope == 0:
                break
            factor -= value / slope
        # Newton only tidies up here; if it wanders off, the rate it started from stands.
        is_close = abs(factor / start - 1) <= SAME_RATE
        found = float(1 / factor - 1) if is_close else rate
    return 0.0 if abs(found) < FLOAT_NOISE else found


def polished_multiple(flows: Sequence[float], rate: float, sign_changes: int) -> float:
    """A rate at which the NPV touches zero, in 50 digits: the simple root of that derivative at which the NPV is least.

    An m-fold root is a simple one of the (m - 1)-th derivative; by Descartes' rule m is at most the changes of sign.
    """
    with localcontext() as context:
        context.prec = POLISH_DIGITS
        start = 1 / (1 + Decimal(rate))
        exact = [Decimal(flow) for flow in flows]
        best, least = start, abs(_horner(exact, start)[0])
        derivative = exact
        for multiplicity in range(2, min(sign_changes, MAX_MULTIPLICITY) + 1):
            derivative = [place * flow for place, flow in enumerate(derivative)][1:]
            found = _newton(derivative, start)
            reach = Decimal(MULTIPLE_REACH * FLOAT_RESOLUTION ** (1 / multiplicity))
            size = abs(_horner(exact, found)[0])
            if abs(found / start - 1) <= reach and size < least:
                best, least = found, size
        nearest = float(1 / best - 1)
    return 0.0 if abs(nearest) < FLOAT_NOISE else nearest


def _horner(flows: Sequence[Decimal], factor: Decimal) -> tuple[Decimal, Decimal]:
    """Value and slope of the polynomial with these coefficients, the constant one first."""
    value = slope = Decimal(0)
    for flow in reversed(flows):
        slope = slope * factor + value
        value = value * factor + flow
    return value, slope


def _newton(flows: Sequence[Decimal], factor: Decimal) -> Decimal:
    for _ in range(2 * POLISH_STEPS):
        value, slope = _horner(flows, factor)
        if slope == 0:
            break
        factor -= value / slope
    return factor
