"""How are lines named at their ends, beside the chart, instead of in a legend?"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from pages.parts import charts

MOST_LINES = 5
LABEL_GAP = 0.07
LABEL_LINE_CHARS = 18

End = tuple[str, float | None, str]
"""A line's name, where it ends (None when unknown) and its colour."""


def labels(x: Any, ends: Sequence[End]) -> dict[str, Any]:
    """Names at the ends of lines at `x`, in the margin, moved apart where lines end close together.

    A trace of texts: annotations would take a fifth of the chart's drawing.
    """
    known = sorted(((value, name, colour) for name, value, colour in ends if value is not None), reverse=True)
    gap, height = max((value for value, _, _ in known), default=1.0) * LABEL_GAP, math.inf
    heights: list[float] = []
    for place, (value, _, _) in enumerate(known):
        # No higher than the label before, no lower than leaves room for those below it, above the axis.
        height = max(min(value, height - gap), gap * (len(known) - 1 - place))
        heights.append(height)
    return {
        "x": [x] * len(known), "y": charts.rounded(heights),
        "text": ["\u00a0" + "<br>\u00a0".join(_wrapped(name)) for _, name, _ in known],
        "mode": "text", "textposition": "middle right", "textfont": {"color": [colour for _, _, colour in known]},
        "cliponaxis": False, "hoverinfo": "skip",
    }  # fmt: skip


def margin(ends: Sequence[End]) -> dict[str, int]:
    """The chart's margins with room for these names on the right."""
    longest = max((len(line) for name, _, _ in ends for line in _wrapped(name)), default=0)
    return {"l": 8, "r": 12 + 7 * longest, "t": 24, "b": 8}


def _wrapped(name: str) -> list[str]:
    """A name in at most two lines, so that it fits beside the chart of a phone."""
    return textwrap.wrap(name, LABEL_LINE_CHARS, max_lines=2, placeholder="…") or [""]
