"""How were the shipped throughput constants found? `python -m core.costs.throughput_fit` refits and writes them.

Constants minimise the mean absolute log error of the roofline, rows of a publisher with many of them counting less.
The band comes from errors on publishers that were left out of the fit. `nested` then asks how good all of this is on
rows that had no part in it: for each group left out, constants, corrections and band are found again without it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np

from core.costs.conventions import Floats
from core.costs.facts import DATA
from core.costs.model_shapes import ModelShape
from core.costs.throughput_measured import (
    Fit,
    Measured,
    alike,
    corrected_tokens_per_s,
    known_rows,
    log_factor,
    measured_rows,
)
from core.costs.throughput_roofline import Constants, roofline_tokens_per_s

# Publishers left out are a harder case than most rows: a little less than 80 % of them holds 80 % of all.
BAND_TAIL = 0.11
ERROR_CAP = 1.5  # a log error above counts no more: a few rows are of another kind
ROUNDS = 12
START = Constants(
    flops_share=0.43, bandwidth_share=0.51, gpu_penalty=0.26, prefill_share=0.43, step_ms=2.0, fp4_share=0.7,
    amd_share=0.6, expert_width=4_000.0,
)  # fmt: skip
Split = Callable[[Measured], Hashable]
SIXTHS = 6
SPLITS: dict[str, Split] = {
    "publisher": lambda row: row.publisher,
    "source": lambda row: row.source[:45],
    "model": lambda row: row.point.shape,
    "gpu": lambda row: row.point.spec.gpu_model,
    # A sixth of the rows at a time, spread evenly: the same in every run.
    "rows": lambda row: measured_rows().index(row) % SIXTHS,
}
Rows = tuple[Measured, ...]


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


@cache
def fitted_constants(rows: Rows) -> Constants:
    """The constants with the smallest mean absolute log error; n rows of one publisher count as sqrt(n)."""
    many = Counter(row.publisher for row in rows)
    weights = np.array([row.weight / np.sqrt(many[row.publisher]) for row in rows])
    weights /= weights.sum()
    measured = np.log([row.output_tokens_per_s for row in rows])

    def loss(values: dict[str, float]) -> float:
        constants = Constants(**values)
        found = np.log([roofline_tokens_per_s(row.point, constants) for row in rows])
        return float(weights @ np.minimum(np.abs(found - measured), ERROR_CAP))

    return Constants(**coordinate_descent(asdict(START), loss, ROUNDS))


def errors_on(rows: Rows, train: Rows, constants: Constants) -> Floats:
    """log(estimate / measured) of `rows`, corrected by the rows of `train` only."""
    known = known_rows(train, constants)

    @cache
    def factor_of(shape: ModelShape, gpu_model: str, precision: str) -> float:
        return float(np.exp(log_factor(alike(known, shape, gpu_model, precision))))

    found = [corrected_tokens_per_s(row.point, constants, factor_of) / row.output_tokens_per_s for row in rows]
    errors: Floats = np.log(found)
    return errors


def _parts(rows: Rows, split: Split) -> list[tuple[Rows, Rows]]:
    """For each group its rows and all others."""
    groups = [split(row) for row in rows]
    return [
        (
            tuple(row for row, own in zip(rows, groups, strict=True) if own == group),
            tuple(row for row, own in zip(rows, groups, strict=True) if own != group),
        )
        for group in dict.fromkeys(groups)
    ]


def band_of(rows: Rows) -> tuple[float, float]:
    """Factors of the estimate that hold 80 % of the rows of publishers left out, each fitted on the others."""
    parts = _parts(rows, SPLITS["publisher"])
    errors = np.concatenate([errors_on(out, train, fitted_constants(train)) for out, train in parts])
    low, high = np.quantile(errors, (1 - BAND_TAIL, BAND_TAIL))
    return round(float(np.exp(-low)), 3), round(float(np.exp(-high)), 3)


def refit(rows: Rows) -> Fit:
    """Constants and band from these rows alone."""
    return Fit(constants=fitted_constants(rows), band=band_of(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good estimates are: median relative error, share within a factor of two, share inside the 80 % band."""

    median_error_share: float
    within_factor_two_share: float
    in_band_share: float


def score(errors: Sequence[Floats], bands: Sequence[tuple[float, float]]) -> Score:
    """The score of errors log(estimate / measured), one array and one band for each group of rows."""
    together = np.concatenate(errors)
    inside = [(one >= -np.log(band[1])) & (one <= -np.log(band[0])) for one, band in zip(errors, bands, strict=True)]
    return Score(
        median_error_share=round(float(np.median(np.abs(np.expm1(together)))), 3),
        within_factor_two_share=round(float((np.abs(together) < np.log(2)).mean()), 3),
        in_band_share=round(float(np.concatenate(inside).mean()), 3),
    )


def nested(rows: Rows, split: Split) -> Score:
    """The score on each group of a split with everything, the band too, found without that group."""
    errors, bands = [], []
    for out, train in _parts(rows, split):
        fit = refit(train)
        errors.append(errors_on(out, train, fit.constants))
        bands.append(fit.band)
    return score(errors, bands)


def corrected_by_others(rows: Rows, split: Split, fit: Fit) -> Score:
    """The score on each group with constants and band of all rows, corrected by the other groups only."""
    errors = [errors_on(out, train, fit.constants) for out, train in _parts(rows, split)]
    return score(errors, [fit.band] * len(errors))


def main() -> None:
    """Refits on the shipped measurements and writes data/throughput_fit.json, in about two minutes."""
    rows = measured_rows()
    fit = refit(rows)
    data = {
        "constants": {name: round(value, 4) for name, value in asdict(fit.constants).items()},
        "band": fit.band,
        "rows": len(rows),
        "in_sample": asdict(score([errors_on(rows, rows, fit.constants)], [fit.band])),
        "corrected_by_others": {name: asdict(corrected_by_others(rows, split, fit)) for name, split in SPLITS.items()},
        "nested": {name: asdict(nested(rows, split)) for name, split in SPLITS.items()},
    }
    (DATA / "throughput_fit.json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(data, indent=2))  # noqa: T201 - a command that reports what it fitted


if __name__ == "__main__":
    main()
