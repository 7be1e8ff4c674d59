"""How were the shipped throughput constants found? `python -m core.costs.throughput_fit` refits and writes them.

Constants minimise the mean absolute log error of the roofline; distances minimise that of the corrected estimate over
rows held out by configuration, model, GPU and source; the band holds 83 % of the held-out errors (80 % is promised).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict

import numpy as np

from core.costs.model_shapes import DATA
from core.costs.throughput_measured import (
    Distances,
    Floats,
    Measured,
    closeness,
    distances_to,
    measured_rows,
    neighbours,
    table_of,
)
from core.costs.throughput_roofline import Constants, roofline_tokens_per_s

BAND_TAIL = 0.085
ERROR_CAP = 1.5  # a log error above counts no more: a few rows are of another kind
START = Constants(flops_share=0.43, bandwidth_share=0.51, gpu_penalty=0.26, prefill_share=0.43, step_ms=2.0)
START_DISTANCES = Distances(
    length=0.9, size=0.3, mixture=2.5, gpu=0.45, architecture=0.8, precision=1.8, gpu_count=0.15, concurrency_known=2.0,
    concurrency=0.65, prior=0.14,
)  # fmt: skip
SPLITS: dict[str, Callable[[Measured], Hashable]] = {
    "configuration": lambda row: (row.point.shape, row.point.spec, row.point.precision, row.point.gpus_per_replica),
    "model": lambda row: row.point.shape,
    "gpu": lambda row: row.point.spec.gpu_model,
    "source": lambda row: row.source[:45],
}


def roofline_loss(constants: Constants, rows: Sequence[Measured]) -> float:
    """Mean absolute log error of the bare roofline."""
    errors = [abs(np.log(roofline_tokens_per_s(row.point, constants) / row.output_tokens_per_s)) for row in rows]
    return float(np.minimum(errors, ERROR_CAP).mean())


def coordinate_descent(
    start: dict[str, float], loss: Callable[[dict[str, float]], float], rounds: int
) -> dict[str, float]:
    """Multiplies one value at a time by a shrinking factor while the loss falls."""
    best, lowest, steps = dict(start), loss(start), dict.fromkeys(start, 0.4)
    for _ in range(rounds):
        for name in start:
            for factor in (1 + steps[name], 1 / (1 + steps[name])):
                trial = {**best, name: best[name] * factor}
                found = loss(trial)
                if found < lowest - 1e-6:
                    best, lowest = trial, found
                    break
            else:
                steps[name] *= 0.5
    return best


def held_out_errors(
    rows: Sequence[Measured], constants: Constants, scale: Distances, split: Callable[[Measured], Hashable]
) -> tuple[Floats, Floats]:
    """log(estimate / measured) of each row, estimated without the rows of its own group, and the weight behind it."""
    groups = [split(row) for row in rows]
    known = neighbours(rows, constants)
    errors, weights = np.zeros(len(rows)), np.zeros(len(rows))
    for number, row in enumerate(rows):
        other = np.array([group != groups[number] for group in groups])
        away = distances_to(known.table, table_of([row.point]), scale)
        weight = closeness(away) * known.trust * other
        factor = float(weight @ known.residuals) / (float(weight.sum()) + scale.prior)
        errors[number] = factor - known.residuals[number]
        weights[number] = weight.sum()
    return errors, weights


def summary(errors: Floats) -> dict[str, float]:
    """Median relative error, share within a factor of two."""
    return {
        "median_error_share": round(float(np.median(np.abs(np.expm1(errors)))), 3),
        "within_factor_two_share": round(float((np.abs(errors) < np.log(2)).mean()), 3),
    }


def main() -> None:
    """Refits on the shipped measurements and writes data/throughput_fit.json."""
    rows = measured_rows()
    fitted = coordinate_descent(asdict(START), lambda values: roofline_loss(Constants(**values), rows), 12)
    constants = Constants(**fitted)

    def loss(values: dict[str, float]) -> float:
        found = [held_out_errors(rows, constants, Distances(**values), split)[0] for split in SPLITS.values()]
        return float(sum(np.minimum(np.abs(errors), ERROR_CAP).mean() for errors in found))

    scale = Distances(**coordinate_descent(asdict(START_DISTANCES), loss, 4))
    report, errors, weights = {}, [], []
    for name, split in SPLITS.items():
        split_errors, split_weights = held_out_errors(rows, constants, scale, split)
        report[name] = summary(split_errors)
        errors.append(split_errors)
        weights.append(split_weights)
    everything, weight = np.concatenate(errors), np.concatenate(weights)
    near_weight = float(np.median(weight))
    data = {
        "constants": {name: round(value, 4) for name, value in asdict(constants).items()},
        "distances": {name: round(value, 4) for name, value in asdict(scale).items()},
        "near_band": band(everything[weight >= near_weight]),
        "far_band": band(everything[weight < near_weight]),
        "near_weight": round(near_weight, 4),
        "rows": len(rows),
        "held_out": report,
    }
    (DATA / "throughput_fit.json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(data, indent=2))  # noqa: T201 - a command that reports what it fitted


def band(errors: Floats) -> list[float]:
    """Factors of the estimate between which 80 % of measured values lie.

    The distances were chosen on the same held-out errors, so the band takes in a little more of them than 80 %.
    """
    low, high = np.quantile(errors, (1 - BAND_TAIL, BAND_TAIL))
    return [round(float(np.exp(-low)), 3), round(float(np.exp(-high)), 3)]


if __name__ == "__main__":
    main()
