"""Which of the models that are allowed for a task is cheapest for this request, and in which order to fall back?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.gateway.chat import Usage
from core.gateway.endpoints import Target
from core.gateway.errors import ConfigurationError
from core.gateway.estimate import believed_pico_usd
from core.gateway.routes import suggestions

logger = logging.getLogger(__name__)

TargetPrice = Callable[[Target, Usage], int | None]
"""Pico-USD of a usage at a target, None when no price is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedTarget:
    """A target and what the request is estimated to cost there, in pico-USD. None is unknown, and `reason` says why."""

    target: Target
    pico_usd: int | None
    reason: Literal["", "no_price", "price_failed"] = ""


def cheapest_first(
    task: str, allowed: Mapping[str, Sequence[Target]], *, price: TargetPrice, usage: Usage
) -> tuple[RankedTarget, ...]:
    """The targets allowed for a task by estimated cost, equal ones in the given order, those without a price last.

    `usage` is what the request may take, see `estimate_usage`. Raises ConfigurationError for a task nothing is allowed
    for; its `suggestions` are tasks of a similar name. What `price` raises makes that one target unpriced.
    """
    targets = tuple(dict.fromkeys(allowed.get(task, ())))
    if not targets:
        near = suggestions(task, (name for name, found in allowed.items() if found))
        hint = f" Perhaps {' or '.join(near)}?" if near else ""
        raise ConfigurationError(f"No target is allowed for the task {task!r}.{hint}", suggestions=near)
    ranked = [_ranked(target, price, usage) for target in targets]
    return tuple(sorted(ranked, key=lambda one: (one.pico_usd is None, one.pico_usd or 0)))


def _ranked(target: Target, price: TargetPrice, usage: Usage) -> RankedTarget:
    try:
        found = price(target, usage)
    except Exception as error:  # noqa: BLE001  # a caller's callback may raise anything; the others still have prices
        logger.warning("No cost for %s: the price callback raised %s.", target.model, type(error).__name__)
        return RankedTarget(target=target, pico_usd=None, reason="price_failed")
    pico_usd = believed_pico_usd(found)
    return RankedTarget(target=target, pico_usd=pico_usd, reason="no_price" if pico_usd is None else "")
