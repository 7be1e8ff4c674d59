"""Which workload is this page about? One strip on every page: read it, edit it in place, pick a preset, share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import streamlit as st

from core.workload import LIMITS, PRESETS, Workload, preset
from pages.parts import state, widgets
from pages.parts.state import fmt, tr

SHARES = (
    "cached_share", "cache_write_share", "batch_share", "peak_hour_share", "retry_share", "growth_per_month",
    "seasonality",
)  # fmt: skip
# What a slider spans; the number field beside it takes everything within LIMITS.
SLIDER_SPANS: dict[str, tuple[float, float, float]] = {
    "growth_per_month": (-20, 50, 1),
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
MORE_FIELDS = (
    "cached_share", "cache_write_share", "batch_share", "growth_per_month", "horizon_months", "budget_usd_per_month",
    "input_spread", "output_spread", "seasonality", "retry_share", "peak_hour_share", "peak_to_average",
)  # fmt: skip


def summary(workload: Workload) -> str:
    """The workload in one line: `50K requests/mo · 1,500 in · 500 out · 30 % cached · +5 %/mo`."""
    show = fmt()
    parts = [
        tr("workload.requests", count=show.compact(workload.requests_per_month)),
        tr("workload.input", count=show.number(workload.input_tokens)),
        tr("workload.output", count=show.number(workload.output_tokens)),
    ]
    if workload.cached_share:
        parts.append(tr("workload.cached", share=show.percent(workload.cached_share)))
    if workload.batch_share:
        parts.append(tr("workload.batch", share=show.percent(workload.batch_share)))
    if workload.growth_per_month:
        sign = "+" if workload.growth_per_month > 0 else ""
        parts.append(tr("workload.growth", share=sign + show.percent(workload.growth_per_month, 1).replace(".0%", "%")))
    return " · ".join(parts)


def workload_bar(*, with_editor: bool = True) -> Workload:
    """Draws the strip and returns the workload; every page calls it first in its `block`, above the page's title.

    A page that shows the fields itself (`workload_fields`) passes `with_editor=False`.
    """
    workload, problems = state.read_workload()
    with st.container(horizontal=True, vertical_alignment="center", key="wl_bar"):
        name = f"**{widgets.plain(workload.name)}** · " if workload.name else ""
        st.markdown(f":material/tune: {name}{summary(workload)}", width="stretch")
        if with_editor:
            editor = st.popover(tr("workload.edit"), icon=":material/edit:", on_change="rerun", key="wl_edit")
            if editor.open:
                with editor:
                    workload_fields((*MAIN_FIELDS, *MORE_FIELDS))
        presets = st.popover(tr("workload.presets"), icon=":material/inventory_2:", on_change="rerun", key="wl_presets")
        if presets.open:
            with presets:
                _preset_buttons()
        share = st.popover(tr("workload.share"), icon=":material/link:", on_change="rerun", key="wl_share")
        if share.open:
            with share:
                st.caption(tr("workload.share_help"))
                st.code(state.share_address(), language=None, wrap_lines=True)
    widgets.show_problems(problems, {one.field: tr(f"workload.field_{one.field}") for one in problems})
    return state.workload()


def _preset_buttons() -> None:
    for key in PRESETS:
        st.button(
            tr(f"workload.preset_{key}"),
            key=f"wl_preset_{key}",
            help=summary(PRESETS[key]),
            on_click=_take,
            args=(replace(preset(key), name=tr(f"workload.preset_{key}")),),
            width="stretch",
            type="tertiary",
        )


def _take(workload: Workload) -> None:
    state.set_workload(workload)


def workload_fields(names: Sequence[str]) -> None:
    """A slider and an exact field for each named input, kept in step with the shared workload."""
    for name in names:
        _field_row(name, getattr(state.workload(), name))


def _field_row(name: str, value: float | None) -> None:
    limit = LIMITS[name]
    factor = 100 if name in SHARES else 1
    whole = limit.is_integer
    label = tr(f"workload.field_{name}")
    help_text = tr(f"workload.help_{name}")
    exact_key, slider_key = f"wl_{name}", f"wl_{name}_slider"
    shown = None if value is None else int(value) if whole else float(round(value * factor, 6))
    _follow(exact_key, shown)
    if limit.is_optional:
        st.number_input(
            label, float(limit.low), float(limit.high), key=exact_key, help=help_text, placeholder="–",
            on_change=_changed, args=(name, exact_key),
        )  # fmt: skip
        return
    slider, exact = st.columns([3, 2], vertical_alignment="bottom", gap="small")
    with slider:
        _slider(name, label, help_text, shown, slider_key)
    with exact:
        step: Any = 1 if whole else 1.0 if factor == 100 else 0.1
        number = int if whole else float
        low, high = number(limit.low * factor), number(limit.high * factor)
        st.number_input(
            label, low, high, step=step, key=exact_key, label_visibility="collapsed",
            format="%d" if whole else "%.4g", on_change=_changed, args=(name, exact_key),
        )  # fmt: skip


def _slider(name: str, label: str, help_text: str, shown: Any, key: str) -> None:
    if name in LOG_STEPS:
        options = sorted({*LOG_STEPS[name], int(shown)})
        _follow(key, int(shown))
        st.select_slider(
            label, options=options, key=key, format_func=lambda count: fmt().compact(count), help=help_text,
            on_change=_changed, args=(name, key),
        )  # fmt: skip
        return
    low, high, step = SLIDER_SPANS.get(name, (0, 100, 1))
    whole = LIMITS[name].is_integer
    number = int if whole else float
    _follow(key, number(min(max(shown, low), high)))
    st.slider(
        label, number(low), number(high), step=number(step), key=key, help=help_text,
        format="%d%%" if name in SHARES else None, on_change=_changed, args=(name, key),
    )  # fmt: skip


def _follow(key: str, value: Any) -> None:
    """Sets a widget only when it differs: a value that is set again overrides what the reader did meanwhile."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def _changed(name: str, key: str) -> None:
    """A field was moved: the shared workload takes it, clamped to what is allowed."""
    value = st.session_state[key]
    if value is not None and name in SHARES:
        value = round(value / 100, 8)
    plain: dict[str, object] = {**asdict(state.workload()), name: "" if value is None else value}
    if value is None and not LIMITS[name].is_optional:
        return
    changed, _ = Workload.from_mapping(plain)
    state.set_workload(changed)
