"""Is an input within its limits? The one check, and the one sentence, of all inputs of the costs."""

from __future__ import annotations

from numbers import Integral, Real


def require_within(field: str, value: float, low: float, high: float) -> None:
    """Raises ValueError naming the field for what is no number or outside `low` to `high`, NaN included."""
    # A comparison with NaN is false, so NaN is refused too.
    if not isinstance(value, int | float | Real) or not low <= value <= high:
        raise ValueError(f"{field} is {value!r}: give a number from {low:g} to {high:g}.")


def require_whole(field: str, value: int, low: int, high: int) -> None:
    """Raises ValueError naming the field for what is no whole number (8.0 and True are none) from `low` to `high`."""
    if not isinstance(value, int | Integral) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{field} is {value!r}: give a whole number from {low} to {high}.")
