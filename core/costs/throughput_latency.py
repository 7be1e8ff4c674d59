"""How soon does a user of a loaded replica see the first token, and how fast do the others follow?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.costs.gpu_specs import offered_spec
from core.costs.model_shapes import ModelShape, precision_named
from core.costs.throughput import estimate_throughput
from core.costs.throughput_measured import shipped_fit
from core.costs.throughput_precision import served_precision
from core.costs.throughput_roofline import Point, prefill_s

HALVINGS = 30
MOST_AT_ONCE = 2048.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySpeed:
    """What one of `requests_at_once` users of a replica sees, on average.

    `tokens_per_s` is a reply's length over its whole time, the reading of the prompt included. `first_token_s` is the
    reading of the prompt when no other waits before it: at a peak it is longer.
    """

    tokens_per_s: float
    first_token_s: float
    requests_at_once: float


def reply_speed(
    shape: ModelShape,
    gpu_model: str,
    gpu_form: str | None,
    *,
    gpus_per_replica: int,
    precision: str,
    input_tokens: float,
    output_tokens: float,
    load_tokens_per_s: float,
    measured_tokens_per_s: float | None = None,
) -> ReplySpeed | None:
    """The speed one user sees on a replica that gives `load_tokens_per_s` in all; None when the GPU has no spec.

    The fewest requests at once that give the load; as many as fit where it is more than the replica can. A
    `measured_tokens_per_s` (of the replica under full load) scales everything. ModelDoesNotFitError.
    """
    spec = offered_spec(gpu_model, gpu_form)
    if spec is None:
        return None
    output_tokens = max(1, output_tokens)

    def speed(at_once: float) -> float:
        return estimate_throughput(
            shape, spec, gpu_count=gpus_per_replica, gpus_per_replica=gpus_per_replica, precision=precision,
            input_tokens=input_tokens, output_tokens=output_tokens, concurrency=at_once,
        ).output_tokens_per_s  # fmt: skip

    full = speed(MOST_AT_ONCE)
    factor = 1.0 if measured_tokens_per_s is None else measured_tokens_per_s / full
    at_once = _fewest(speed, min(load_tokens_per_s / factor, full * (1 - 1e-9)))
    point = Point(
        shape=shape, spec=spec, precision=served_precision(spec, precision_named(precision)), replica_count=1,
        gpus_per_replica=gpus_per_replica, input_tokens=input_tokens, output_tokens=output_tokens,
    )  # fmt: skip
    return ReplySpeed(
        tokens_per_s=speed(at_once) / at_once * factor,
        first_token_s=prefill_s(point, shipped_fit().constants) / factor,
        requests_at_once=at_once,
    )


def _fewest(speed: Callable[[float], float], tokens_per_s: float) -> float:
    """The fewest requests at once that give so much, between halves."""
    low, high = 1.0, MOST_AT_ONCE
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if speed(middle) >= tokens_per_s else (middle, high)
    return high
