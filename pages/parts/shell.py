"""What surrounds every page: configuration, language, currency, navigation, and the first start."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog.database import DatabaseProblem
from core.i18n import LANGUAGES
from core.settings import KRW_PER_USD_MAX, KRW_PER_USD_MIN, PROJECT
from pages.parts import address, number_field, state, widgets
from pages.parts.state import fmt, tr

ICON = PROJECT / "data" / "icon.png"

# File of the page and its fixed address; the first is the start page. Without icons: they would be sent with every
# rerun, and a third of the list's drawing was theirs.
PAGES: tuple[tuple[str, str], ...] = (
    ("overview", "overview"),
    ("gpu_clouds", "gpu-clouds"),
    ("model_prices", "model-prices"),
    ("monthly_cost", "monthly-cost"),
    ("self_host", "rent-or-call"),
    ("roi", "roi"),
    ("playground", "playground"),
    ("usage", "spend"),
    ("connections", "connections"),
)
_PAGES = "_pages"


def run() -> None:
    """Draws one run of the program."""
    st.set_page_config(page_title="Breakeven", page_icon=str(ICON), layout="wide")
    with address.noting_widgets():
        _draw()


def _draw() -> None:
    address.read_address()
    _, problems = address.bind(state.shell_fields())
    page = _navigation()
    # In another language the widgets are new ones in the browser, as on another page.
    address.enter(f"{page.url_path} {state.lang()}")
    # One element whatever it holds, so that the page's block has the same place on every page (see `state.block`).
    with st.container():
        _top_row()
        widgets.show_problems(problems, _labels())
        for problem in state.settings().problems:
            st.warning(tr("shell.setting_refused", problem=problem))
        is_open = _open_catalog()
    if is_open:
        with state.guarded():
            page.run()
    state.publish()


def _labels() -> dict[str, str]:
    """The names of the shell's own fields, for the sentence about one that was corrected."""
    return {key: tr(f"shell.{name}") for key, name in {"lang": "language", "cur": "currency", "fx": "rate"}.items()}


def _navigation() -> Any:
    pages = {
        name: st.Page(
            PROJECT / "pages" / f"{name}.py",
            title=tr(f"shell.page_{name}"),
            url_path=path,
            default=name == "overview",
        )
        for name, path in PAGES
    }
    st.session_state[_PAGES] = pages
    return st.navigation(list(pages.values()), position="top")


def page_of(name: str) -> Any:
    """The page made of pages/`name`.py in this run, for links; None when there is none."""
    return st.session_state.get(_PAGES, {}).get(name)


def _top_row() -> None:
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="shell_row"):
        rate = st.popover(tr("shell.rate_button", rate=widgets.rate_text()), on_change="rerun", key="shell_rate")
        if rate.open:
            _rate(rate)
        st.segmented_control(
            tr("shell.currency"), state.CURRENCIES, key="cur", format_func={"USD": "$", "KRW": "₩"}.__getitem__,
            label_visibility="collapsed", required=True,
        )  # fmt: skip
        st.segmented_control(
            tr("shell.language"), list(LANGUAGES), key="lang", format_func=str.upper,
            label_visibility="collapsed", required=True,
        )  # fmt: skip
        _share()


def _rate(popover: Any) -> None:
    shown, settings = fmt(), state.settings()
    number_field.number_field(
        tr("shell.rate"), KRW_PER_USD_MIN, KRW_PER_USD_MAX, step=10, key="fx", place=popover, format="%.9g",
        help=tr("shell.rate_help", date=shown.date(settings.fx_date)),
    )  # fmt: skip
    popover.caption(tr("shell.rate_help", date=shown.date(settings.fx_date)))


def _share() -> None:
    """The address of what is shown; outside of the page's block, so that a moved slider does not send it again."""
    share = st.popover(tr("shell.share"), icon=":material/link:", on_change="rerun", key="shell_share")
    if share.open:
        share.caption(tr("shell.share_help"))
        share.code(state.share_address(), language=None, wrap_lines=True)


def _open_catalog() -> bool:
    """Opens the catalog, with a progress bar when it must be filled first; False when the database cannot be used."""
    try:
        if state.is_open():
            state.catalog()
            return True
        bar = st.progress(0.0, text=tr("shell.opening_wait"))
        state.catalog(lambda share, step: _show_progress(bar, share, step))
        bar.empty()
    except DatabaseProblem as problem:
        state.show_database_problem(problem)
        return False
    return True


def _show_progress(bar: Any, share: float, step: str) -> None:
    bar.progress(min(max(share, 0.0), 1.0), text=tr("shell.opening", step=step))
