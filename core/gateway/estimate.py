"""How many tokens may a request take at most, before anybody has counted?"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import replace
from typing import TypeVar

from core.gateway.chat import ChatRequest, Usage

TOKENS_PER_BYTE = 0.5
"""Generous on purpose: English has about 0.25 tokens per byte of UTF-8, Korean about 0.35 (3 bytes a syllable)."""

MESSAGE_TOKENS = 8
DEFAULT_OUTPUT_TOKENS = 4096
"""What a request without a limit is taken to write."""

REASONING_OUTPUT_TOKENS = 16_384
"""The same for a model that thinks first: its thoughts count as output."""

MAX_REMEMBERED = 10_000
V = TypeVar("V")


def estimate_usage(request: ChatRequest, *, is_reasoning: bool = False) -> Usage:
    """A cautious estimate: rather too much than too little, since money is set aside by it."""
    default = REASONING_OUTPUT_TOKENS if is_reasoning else DEFAULT_OUTPUT_TOKENS
    size = sum(len(m.content.encode("utf-8", "replace")) for m in request.turns)
    return Usage(
        input_tokens=int(size * TOKENS_PER_BYTE) + MESSAGE_TOKENS * len(request.turns),
        output_tokens=request.max_output_tokens or default,
        source="estimate",
    )


def believed_pico_usd(found: object) -> int | None:
    """What a caller's price callback gave, if it is a whole number of pico-USD from 0 on; else None, no price."""
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


class Experience:
    """Remembers upstreams that took more than was set aside, such as one that ignores the limit of the output.

    Belongs to the gateway's loop. Keys are those of routes; what is remembered only grows.
    """

    def __init__(self) -> None:
        self._output_tokens: dict[Hashable, int] = {}
        self._cost_ratio: dict[Hashable, float] = {}

    def usage(self, key: Hashable, estimate: Usage) -> Usage:
        """The estimate, raised to the most that was ever written beyond a limit."""
        least = self._output_tokens.get(key, 0)
        return replace(estimate, output_tokens=least) if least > (estimate.output_tokens or 0) else estimate

    def cost(self, key: Hashable, pico_usd: int) -> int:
        """The estimated cost, raised as far as a known cost ever exceeded its estimate for another reason."""
        ratio = self._cost_ratio.get(key)
        return pico_usd if ratio is None else math.ceil(pico_usd * ratio)

    def learn_usage(self, key: Hashable, reserved_tokens: int, output_tokens: int) -> bool:
        """Takes note of an output; True when it was more than was set aside."""
        if output_tokens > max(reserved_tokens, self._output_tokens.get(key, 0)):
            _bounded(self._output_tokens)[key] = output_tokens
        return output_tokens > reserved_tokens

    def learn_cost(self, key: Hashable, reserved_pico_usd: int, pico_usd: int) -> None:
        """Takes note of a cost."""
        if pico_usd > reserved_pico_usd > 0:
            ratio = pico_usd / reserved_pico_usd * self._cost_ratio.get(key, 1.0)
            _bounded(self._cost_ratio)[key] = ratio


def _bounded(kept: dict[Hashable, V]) -> dict[Hashable, V]:
    """The same, with room for one more."""
    if len(kept) >= MAX_REMEMBERED:
        del kept[next(iter(kept))]
    return kept
