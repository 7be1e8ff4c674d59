"""How is each part of the shared workload edited? A slider and an exact field, kept in step with it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.workload import LIMITS, Workload
from pages.parts import address, number_field, state, widgets
from pages.parts.state import fmt, tr

# What a slider spans; the number field beside it takes everything within LIMITS.
SLIDER_SPANS: dict[str, tuple[float, float, float]] = {
    "growth_per_month": (-50, 100, 1),
    "input_spread": (0, 2, 0.1),
    "output_spread": (0, 2, 0.1),
    "peak_to_average": (1, 20, 0.5),
    "horizon_months": (1, 60, 1),
}
# Volumes span decades, so their sliders step through 1, 2, 5, 10, ...
LOG_STEPS: dict[str, tuple[int, ...]] = {
    "requests_per_month": tuple(m * 10**e for e in range(2, 10) for m in (1, 2, 5)),
    "input_tokens": tuple(m * 10**e for e in range(1, 6) for m in (1, 2, 5)),
    "output_tokens": tuple(m * 10**e for e in range(0, 5) for m in (1, 2, 5)),
}
MAIN_FIELDS = ("requests_per_month", "input_tokens", "output_tokens")
EXACT_MIN_WIDTH_PX = 120
MORE_FIELDS = (
    "cached_share", "cache_write_share", "batch_share", "growth_per_month", "horizon_months", "budget_usd_per_month",
    "input_spread", "output_spread", "seasonality", "retry_share", "peak_hour_share", "peak_to_average",
)  # fmt: skip


def workload_fields(names: Sequence[str]) -> None:
    """A slider and an exact field for each named input; moving one redraws the page's block."""
    for is_optional, group in itertools.groupby(names, key=lambda name: LIMITS[name].is_optional):
        if is_optional:
            for name in group:
                _optional(name)
            continue
        # One grid for many rows: fewer elements than a row of its own for each, and on a phone they stay side by side.
        with st.grid(2, min_column_width=EXACT_MIN_WIDTH_PX, wrap=False, vertical_alignment="bottom"):
            for name in group:
                _slider_and_number(name)


def _optional(name: str) -> None:
    limit, key = LIMITS[name], f"wl_{name}"
    value = getattr(state.workload(), name)
    address.follow(key, None if value is None else float(round(value, 6)))
    number_field.number_field(
        tr(f"workload.field_{name}"), limit.low, limit.high, key=key, step=1.0,
        help=tr(f"workload.help_{name}"), placeholder="–", on_change=_changed, args=(name, key),
        is_usd=True,
    )  # fmt: skip


def _factor(name: str) -> int:
    """Shares are fractions inside and percent in a field."""
    return 100 if LIMITS[name].is_share else 1


def _shown(name: str, value: float) -> float:
    """A value of the workload as its field holds it."""
    return int(value) if LIMITS[name].is_integer else float(round(value * _factor(name), 6))


def _slider_and_number(name: str) -> None:
    limit, factor = LIMITS[name], _factor(name)
    shown = _shown(name, getattr(state.workload(), name))
    label, exact_key = tr(f"workload.field_{name}"), f"wl_{name}"
    _slider(name, label, tr(f"workload.help_{name}"), shown, f"{exact_key}_slider")
    address.follow(exact_key, shown)
    whole, problems = limit.is_integer, number_field.wrong(exact_key)
    # In the cell of the field and over it, so that the slider stays beside the field and no other cell moves.
    with st.container(gap="xxsmall") if problems else nullcontext():
        for problem in problems:
            st.markdown(f":small[:material/info: {widgets.plain(widgets.problem_text(problem, label))}]")
        number_field.number_field(
            label, limit.low * factor, limit.high * factor, key=exact_key, step=1.0 if whole or factor == 100 else 0.1,
            is_whole=whole, has_sentence=False, label_visibility="collapsed", format="%.0f" if whole else "%.9g",
            on_change=_changed, args=(name, exact_key),
        )  # fmt: skip


def _slider(name: str, label: str, help_text: str, shown: Any, key: str) -> None:
    if name in LOG_STEPS:
        options = sorted({*LOG_STEPS[name], int(shown)})
        address.follow(key, int(shown))
        st.select_slider(
            label, options=options, key=key, format_func=lambda count: fmt().compact(count), help=help_text,
            on_change=_changed, args=(name, key),
        )  # fmt: skip
        return
    low, high, step = SLIDER_SPANS.get(name, (0, 100, 1))
    whole = LIMITS[name].is_integer
    number = int if whole else float
    address.follow(key, number(min(max(shown, low), high)))
    st.slider(
        label, number(low), number(high), step=number(step), key=key, help=help_text,
        format="%d%%" if LIMITS[name].is_share else None, on_change=_changed, args=(name, key),
    )  # fmt: skip


def _changed(name: str, key: str) -> None:
    """A field was moved: the shared workload takes it, and what that leaves no room for gives way in words."""
    value = st.session_state[key]
    if value is None and not LIMITS[name].is_optional:
        return
    if value is not None and LIMITS[name].is_share:
        value = round(value / 100, 8)
    plain: dict[str, object] = {**asdict(state.workload()), name: "" if value is None else value}
    take(plain)


def take(values: Mapping[str, object]) -> None:
    """In a callback: the workload of these values, and below its field what had to be corrected in one."""
    changed, problems = Workload.from_mapping(values)
    state.set_workload(changed)
    for problem in problems:
        used = _shown(problem.field, getattr(changed, problem.field))
        number_field.note(f"wl_{problem.field}", used, [problem])
