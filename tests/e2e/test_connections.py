"""Someone lands with a 401: the pasted message is explained, and the key in it goes nowhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenVisit, Program

SECRET = "sk-live-0123456789abcdef"  # invented for this test
FADE_MS = 1_000  # elements fade in, and a faded text has too little contrast

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
    page.wait_for_timeout(FADE_MS)
    assert one.axe() == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_fits_a_phone_in_korean(visit: OpenVisit, dark: bool) -> None:
    one = visit(width=390, height=844, lang="ko-KR", dark=dark)
    page = one.open("/connections?lang=ko&connections_error=rate_limited")

    expect(page.get_by_text("오류 안내")).to_be_visible()
    page.wait_for_timeout(FADE_MS)
    assert not one.has_sideways_scroll()
    assert one.axe() == []
