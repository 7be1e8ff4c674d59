"""Do the choices that lead to a call work in a browser: a task, a server on this machine, the safe headers?"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core.gateway import PRESETS
from core.i18n import t
from tests.e2e.conftest import OpenVisit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("lang", "width", "dark"),
    [
        ("en", 1440, False),
        ("ko", 390, False),
    ],
)
def test_a_task_sets_the_chain(visit: OpenVisit, lang: str, width: int, dark: bool) -> None:
    one = visit(width=width, lang="ko-KR" if lang == "ko" else "en-US", dark=dark)
    page = one.open(f"/playground?lang={lang}")
    page.get_by_text(t("model_prices.task_high_quality", lang), exact=True).click()

    expect(page.get_by_text(t("playground.task_costs", lang))).to_be_visible()
    one.settle()
    assert "demo-openai" in page.url
    assert not one.has_sideways_scroll()
    assert one.axe() == []


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_server_on_this_machine_is_looked_for(visit: OpenVisit, lang: str) -> None:
    one = visit(lang="ko-KR" if lang == "ko" else "en-US")
    page = one.open(f"/connections?lang={lang}")
    page.get_by_role("button", name=t("connections.look", lang, name="vLLM")).click()

    expect(
        page.get_by_text(t("connections.look_none", lang, name="vLLM", url=PRESETS["vllm"].base_url))
    ).to_be_visible()
    # Away from the button: its help is drawn outside of every landmark, by Streamlit.
    page.mouse.move(5, 5)
    one.settle()
    assert one.axe() == []


def test_a_page_keeps_other_sites_out(visit: OpenVisit) -> None:
    one = visit()
    answer = one.page.goto(f"{one.base}/playground")
    one.settle()

    assert answer is not None
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
