"""`python -m tests.bench [name ...]`: runs every benchmark, or those named, and prints one table."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time

import tests.bench as package
from tests.bench import Row

HEADINGS = ("what", "ours", "floor or peer", "unit", "ratio", "goal", "pass", "note")


def main(wanted: list[str]) -> int:
    """Prints the table of all rows; the exit code says whether every goal was met."""
    names = [m.name for m in pkgutil.iter_modules(package.__path__) if m.name.startswith("bench_")]
    chosen = [n for n in names if not wanted or n.removeprefix("bench_") in wanted]
    rows: list[Row] = []
    for name in chosen:
        start = time.perf_counter()
        rows += importlib.import_module(f"tests.bench.{name}").rows()
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    return 0 if all(row.passed for row in rows) else 1


def _cells(row: Row) -> tuple[str, ...]:
    sign = ">=" if row.higher_is_better else "<="
    goal, passed = ("", "") if row.goal is None else (f"{sign} {row.goal:g}", "yes" if row.passed else "NO")
    return row.what, f"{row.ours:.4g}", f"{row.peer:.4g}", row.unit, f"{row.ratio:.3g}", goal, passed, row.note


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
