"""How is a page opened in a test?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import plotly.graph_objects as go
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.i18n import LANGUAGES, t
from core.money import Formatter
from pages.parts import state
from pages.parts.charts import Figure
from tests.conftest import PROJECT

RUN_TIMEOUT_S = 60
FAILED = tuple(t("shell.page_failed", lang) for lang in LANGUAGES)

OpenPage = Callable[..., AppTest]


def assert_whole(at: AppTest) -> None:
    """The page was drawn: no exception, and no sentence that says it could not be."""
    assert not at.exception, [one.message for one in at.exception]
    assert not [one.value for one in at.error if one.value.startswith(FAILED)]


@pytest.fixture(autouse=True)
def _charts_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Plotly would refuse fails the page that draws it: outside of tests no figure is validated."""
    finished = Figure.to_dict

    def validated(figure: Figure) -> dict[str, Any]:
        go.Figure(finished(figure))
        return finished(figure)

    monkeypatch.setattr(Figure, "to_dict", validated)


@pytest.fixture
def files_made(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The files that a page offers, made when its buttons are drawn instead of when they are pressed."""
    made: list[bytes] = []

    def at_once(make: Callable[[], bytes]) -> bytes:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(state, "later", at_once)
    return made


@pytest.fixture
def open_page(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """Opens `name` (a file in pages/, without .py) as a visitor would: `open_page("roi", lang="ko", query={...})`.

    A page that could not be drawn fails the test, unless `is_whole=False`.
    """
    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", database_url)
    st.cache_data.clear()
    st.cache_resource.clear()

    def open_(
        name: str = "overview",
        *,
        lang: str = "en",
        query: Mapping[str, Any] | None = None,
        url: str | None = None,
        is_whole: bool = True,
    ) -> AppTest:
        if url is not None:
            monkeypatch.setenv("BREAKEVEN_DATABASE_URL", url)
        at = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=RUN_TIMEOUT_S)
        at.context = {"locale": Formatter(lang=lang).locale.replace("_", "-"), "timezone": "Asia/Seoul"}
        for key, value in (query or {}).items():
            at.query_params[key] = value
        if name == "overview":
            at.run()
        else:
            # The first run registers the pages, the second opens the wanted one with the same address.
            at.run()
            at.switch_page(f"pages/{name}.py")
            for key, value in (query or {}).items():
                at.query_params[key] = value
            at.run()
        if is_whole:
            assert_whole(at)
        return at

    yield open_
    st.cache_data.clear()
    st.cache_resource.clear()
