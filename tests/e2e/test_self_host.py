"""Can a visitor see where renting beats calling, move the crossing, and take the answer along?"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenVisit

pytestmark = pytest.mark.browser
AGAINST = "/rent-or-call?sh_model=llama-3.3-70b&sh_api=openai/gpt-4.1"


def metric(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def test_the_crossing_moves_with_the_speed_one_measured_and_the_link_keeps_it(visit: OpenVisit) -> None:
    one = visit()
    measured = "&req=5000000&sh_gpu=RTX_PRO_6000"
    page = one.open(f"{AGAINST}{measured}")
    even = metric(page, "Break-even")
    expect(even).to_have_text(re.compile(r"[\d.]+[KM]"))
    before = even.inner_text()

    copy = visit(dark=True).open(f"{AGAINST}{measured}&sh_measured=60")
    # So slow a machine never beats the list price; other GPUs, which keep their estimates, are left out.
    assert before != "never"
    expect(metric(copy, "Break-even")).to_have_text("never")
    expect(copy.get_by_text("60").first).to_be_visible()


def test_another_model_is_chosen_and_the_offers_leave_as_csv(visit: OpenVisit) -> None:
    one = visit()
    page = one.open(AGAINST)
    fleet = page.get_by_test_id("stMetric").nth(1)
    before = fleet.inner_text()
    page.get_by_role("combobox", name="Open model to serve").click()
    page.get_by_role("combobox", name="Open model to serve").fill("Qwen3 32B")
    page.get_by_role("option", name="Qwen3 32B").click()
    expect(fleet).not_to_have_text(before)
    one.settle()
    expect(page).to_have_url(re.compile("sh_model=qwen3-32b"))

    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV", exact=True).click()
    rows = list(csv.reader(io.StringIO(Path(saved.value.path()).read_bytes().decode("utf-8-sig"))))
    assert len(rows) > 20
    assert any("$/Mtok" in head for head in rows[0])


def test_any_model_can_be_typed_to_compare_with(visit: OpenVisit) -> None:
    one = visit()
    page = one.open(f"{AGAINST}&req=123000")
    against = page.get_by_role("combobox", name="Compare with")
    against.fill("Claude-Sonnet-4-5")
    against.press("Enter")
    expect(metric(page, "Calling the API")).to_have_text("$1.48K /mo")
    expect(page).to_have_url(re.compile("sh_api=anthropic%2Fclaude-sonnet-4-5"))
    one.settle()

    against.fill("gemini-2.5-por")
    against.press("Enter")
    expect(page.get_by_text("No model is called gemini-2.5-por. Nearest: google/gemini-2.5-pro")).to_be_visible()


@pytest.mark.parametrize(
    ("width", "lang", "dark"), [(1440, "en-US", False), (1440, "ko-KR", True), (390, "ko-KR", False)]
)
def test_the_page_is_readable_for_everybody(visit: OpenVisit, width: int, lang: str, dark: bool) -> None:
    one = visit(width=width, lang=lang, dark=dark)
    page = one.open(f"{AGAINST}&req=5000000")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    assert not one.has_sideways_scroll()
    assert one.axe() == []
