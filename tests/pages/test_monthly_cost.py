"""The monthly cost page answers in both languages and survives what an address may carry."""

from __future__ import annotations

import pytest

from tests.pages.conftest import OpenPage, assert_whole

VIEWS = ("months", "total", "parts", "moves", "why", "saved", "article")


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn_in_both_languages(open_page: OpenPage, lang: str, view: str) -> None:
    at = open_page("monthly_cost", lang=lang, query={"monthly_cost_view": view})

    assert len(at.metric) == 4
    assert at.get("plotly_chart")
