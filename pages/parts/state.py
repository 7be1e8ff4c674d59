"""What does every page need of this visit? Settings, catalog, language, currency, and the shared workload."""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from core.catalog import Catalog, open_catalog
from core.catalog.database import DatabaseProblem
from core.i18n import LANGUAGES, choose_language, t
from core.money import Formatter
from core.settings import KRW_PER_USD_MAX, KRW_PER_USD_MIN, Settings
from core.workload import LIMITS, NAME_CODE, Problem, Workload
from pages.parts import address, safe_log

_WORKLOAD = "_workload"
CURRENCIES = ("USD", "KRW")


class _Run(threading.local):
    """What the run this thread is drawing goes by; asked for hundreds of times, so worked out once."""

    settings: Settings | None = None
    catalog: Catalog | None = None
    lang: str | None = None
    fmt: Formatter | None = None

    def end(self) -> None:
        """Forgets all of it."""
        self.settings = self.catalog = self.lang = self.fmt = None


_run = _Run()


def settings() -> Settings:
    """The operator's settings, from the environment."""
    return _run.settings or Settings.from_env(os.environ)


@dataclass
class _Catalogs:
    """One open catalog per database of this process, opened by one session while others wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    by_url: dict[str, Catalog] = field(default_factory=dict)


@st.cache_resource(show_spinner=False)
def _catalogs() -> _Catalogs:
    return _Catalogs()


def is_open() -> bool:
    """Whether the catalog has been opened by this process, so that no progress need be shown."""
    return settings().database_url in _catalogs().by_url


def catalog(on_progress: Callable[[float, str], None] | None = None) -> Catalog:
    """The catalog, opened and filled once per process; `on_progress` gets a share (0 to 1) and the step in words.

    Raises DatabaseProblem.
    """
    if _run.catalog is not None:
        return _run.catalog
    url = settings().database_url
    found = _catalogs()
    worded = on_progress and (lambda share, step: on_progress(share, tr(f"shell.step_{step}")))
    with found.lock:
        if url not in found.by_url:
            found.by_url[url] = open_catalog(url, on_progress=worded)
        return found.by_url[url]


def prices_version() -> tuple[object, ...]:
    """Another one whenever a price of the catalog changes: for caches of what was worked out from prices."""
    asked = catalog()
    return settings().database_url, asked.version, asked.llm.version


def shell_fields() -> tuple[address.Field, ...]:
    """Language, currency and exchange rate: what the shell keeps in the address of every page."""
    return (
        address.Field(
            key="lang",
            kind="choice",
            default=choose_language(st.context.locale),
            options=tuple(LANGUAGES),
            named=LANGUAGES.__getitem__,
        ),
        address.Field(key="cur", kind="choice", default="USD", options=CURRENCIES, named=str),
        address.Field(
            key="fx", kind="float", default=settings().krw_per_usd, low=KRW_PER_USD_MIN, high=KRW_PER_USD_MAX
        ),
    )


@contextmanager
def drawing() -> Iterator[None]:
    """Marks one run (of the script or of a fragment), within which language, currency and offers do not change."""
    _run.settings = settings()
    _run.lang, _run.fmt = _lang(), _fmt()
    _run.catalog = _catalogs().by_url.get(_run.settings.database_url)
    try:
        with _run.catalog.one_look() if _run.catalog else nullcontext():
            yield
    finally:
        _run.end()


def later(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """`make` for a file that is made when its button is pressed: outside the visit, in the language of this run."""
    shown_lang, shown_fmt = lang(), fmt()

    def run() -> bytes:
        _run.lang, _run.fmt = shown_lang, shown_fmt
        try:
            return make()
        finally:
            _run.end()

    return run


def lang() -> str:
    """The reader's language: address, else choice, else browser, else English."""
    return _run.lang or _lang()


def _lang() -> str:
    return choose_language(st.session_state.get("lang"), st.context.locale)


def tr(key: str, **values: object) -> str:
    """The text of `key` in the reader's language."""
    return t(key, lang(), **values)


def fmt() -> Formatter:
    """How this reader sees amounts, numbers and dates."""
    return _run.fmt or _fmt()


def _fmt() -> Formatter:
    planned = settings()
    rate = st.session_state.get("fx") or planned.krw_per_usd
    return Formatter(
        lang=_lang(),
        currency="KRW" if st.session_state.get("cur") == "KRW" else "USD",
        krw_per_usd=float(rate),
        fx_date=planned.fx_date if rate == planned.krw_per_usd else None,
    )


def workload() -> Workload:
    """The workload all pages share, as of this run."""
    return read_workload()[0]


def read_workload() -> tuple[Workload, list[Problem]]:
    """The shared workload after taking what the address holds of it, and what had to be corrected."""
    known: Workload | None = st.session_state.get(_WORKLOAD)
    problems: list[Problem] = []
    arrived = address.pending(_WORKLOAD)
    if arrived:
        raw, is_complete = arrived
        codes = {limit.code for limit in LIMITS.values()} | {NAME_CODE}
        named: dict[str, object] = {code: raw[code][-1] for code in codes if raw.get(code)}
        base: dict[str, object] = {} if is_complete or known is None else dict(known.to_mapping())
        known, problems = Workload.from_mapping(base | named)
    if arrived or known is None:
        known = st.session_state[_WORKLOAD] = known or Workload()
    return known, problems


def set_workload(changed: Workload) -> None:
    """Replaces the shared workload; the address follows when the run ends. Call it in a callback or before a rerun."""
    st.session_state[_WORKLOAD] = changed


def publish() -> None:
    """Writes all inputs of this page into the address; the shell does it after a page, `block` after a fragment."""
    address.publish(workload().to_mapping())


def share_address() -> str:
    """The address that reproduces this page in another browser, in this language whatever that browser's is."""
    query = urlencode({**st.session_state.get(address.PUBLISHED, {}), "lang": lang()}, doseq=True)
    return f"{(st.context.url or '').split('?')[0]}?{query}"


def block(function: Callable[..., None]) -> Callable[..., None]:
    """A page's fragment, its first element, whose inputs are in the address: inputs, answer and chart rerun together.

    The block of every page has the same name and place, hence the same id. A rerun that was asked for on one page and
    comes after the next was opened (a popover closes as one leaves) then draws the new page's block. With an id that
    is unknown there, Streamlit 1.67 leaves the window blank.
    """

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        with drawing(), guarded(), address.noting_widgets():
            function(*args, **kwargs)
            publish()
        address.count_run()

    run.__module__, run.__qualname__ = __name__, "block"
    return st.fragment(run)


@contextmanager
def guarded() -> Iterator[None]:
    """What goes wrong while drawing is said in one sentence; the cause is in the log, which redacts keys."""
    try:
        yield
    except DatabaseProblem as problem:
        show_database_problem(problem)
    except Exception:
        logging.getLogger(safe_log.LOGGER).exception("A page failed")
        st.error(tr("shell.page_failed"), icon=":material/error:")


def show_database_problem(problem: DatabaseProblem) -> None:
    """One sentence about a database that cannot be used, and what to do."""
    st.error(tr(f"common.database_{problem.reason}"), icon=":material/database_off:")


def today() -> dt.date:
    """Today in UTC, the time zone of prices and of the log's days."""
    return dt.datetime.now(dt.UTC).date()
