"""Someone lands with a 401: the pasted message is explained, and the key in it goes nowhere."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenVisit, Program

SECRET = "sk-live-0123456789abcdef"  # invented for this test

pytestmark = pytest.mark.browser


def test_a_401_is_diagnosed_and_its_key_goes_nowhere(visit: OpenVisit, program: Program) -> None:
    one = visit()
    page = one.open("/connections")
    box = page.get_by_role("textbox", name="Or paste what you see")
    box.fill(f"Error code: 401 - Incorrect API key provided: {SECRET}")
    box.press("Control+Enter")

    expect(page.get_by_text("What the pasted text most likely means")).to_be_visible()
    expect(page.get_by_role("heading", name="401")).to_be_visible()
    one.settle()
    assert SECRET not in page.url
    assert SECRET not in program.log.read_text()
    assert all(SECRET.encode() not in path.read_bytes() for path in program.database.parent.glob("program.db*"))
    assert one.axe() == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_fits_a_phone_in_korean(visit: OpenVisit, dark: bool) -> None:
    one = visit(width=390, height=844, lang="ko-KR", dark=dark)
    page = one.open("/connections?lang=ko&connections_error=rate_limited")

    expect(page.get_by_text("오류 안내")).to_be_visible()
    assert not one.has_sideways_scroll()
    assert one.axe() == []


def break_the_key(page: Page, button: str, fault: str) -> None:
    """In the playground: from now on the simulated gpt-4.1 refuses this visit's key."""
    page.get_by_role("button", name=button).click()
    page.get_by_role("combobox", name="gpt-4.1", exact=True).click()
    page.get_by_role("option", name=fault).click()
    # Once the form says that a fault is on, its list is closed and the key closes the form itself.
    form = page.get_by_test_id("stPopoverBody")
    expect(form).to_have_attribute("aria-label", re.compile("1"))
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)


def test_an_endpoint_is_walked_to_its_answer(visit: OpenVisit) -> None:
    one = visit()
    page = one.open("/connections")
    page.get_by_role("button", name="Test now").click()

    expect(page.get_by_text("demo-openai works")).to_be_visible(timeout=30_000)
    walk = page.get_by_text("Name (DNS) not needed")
    for step in ("Connection (TCP) works", "Encryption (TLS) not needed", "Key works", "Short call works"):
        expect(walk).to_contain_text(step)
    one.settle()
    assert one.axe() == []


@pytest.mark.parametrize(
    ("lang", "width", "broken", "fault", "test", "stop", "cause"),
    [
        ("en", 1440, "Break it", "401 wrong key", "Test now", "Key stops here", "Cause"),
        ("ko", 390, "장애 만들기", "401 잘못된 키", "지금 테스트", "키 여기서 멈춤", "원인"),
    ],
)
def test_a_key_that_is_refused_is_found_and_explained(
    visit: OpenVisit, lang: str, width: int, broken: str, fault: str, test: str, stop: str, cause: str
) -> None:
    one = visit(width=width, height=900, lang="ko-KR" if lang == "ko" else "en-US")
    page = one.open(f"/playground?lang={lang}&playground_chain=demo-openai/gpt-4.1")
    break_the_key(page, broken, fault)
    one.settle()
    if width < 600:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="연결" if lang == "ko" else "Connections").click()
    one.settle()
    if width < 600:
        # The menu has closed by itself.
        expect(page.get_by_test_id("stExpandSidebarButton")).to_be_visible()
    page.get_by_role("button", name=test).click()

    expect(page.get_by_text(stop)).to_be_visible(timeout=30_000)
    one.settle()
    # Once in the guide, which opens with it, and once as what the walk found.
    expect(page.get_by_role("heading", name="401")).to_have_count(2)
    assert page.get_by_text(cause, exact=True).count() == 2
    assert not one.has_sideways_scroll()
    assert one.axe() == []
