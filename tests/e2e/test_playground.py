"""Does a visitor see an answer come, stop it, watch a failover and compare models, and does a typed key stay secret?"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.gateway import ChatRequest, Gateway, Message, Target
from core.gateway.demo import DemoControl, DemoServer
from pages.parts.playground_stream import Turn, follow
from tests.e2e.conftest import OpenVisit, Program

pytestmark = pytest.mark.browser
SECRET = "sk-hunted-in-a-browser-0123456789"  # invented for this test
CHAIN = "playground_chain=demo-openai/gpt-4.1&playground_chain=demo-anthropic/claude-sonnet-4-5"


def ask(page: Page, prompt: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(prompt)
    box.press("Enter")


def break_it(page: Page, fault: str) -> None:
    """Breaks the first model of the chain."""
    page.get_by_role("button", name="Break it").click()
    page.get_by_role("combobox", name="gpt-4.1", exact=True).click()
    page.get_by_role("option", name=fault).click()
    # Once the form says that a fault is on, its list is closed and the key closes the form itself.
    form = page.get_by_test_id("stPopoverBody")
    expect(form).to_have_attribute("aria-label", re.compile("1"))
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)


def test_an_answer_comes_word_by_word_and_says_what_it_cost(visit: OpenVisit) -> None:
    one = visit()
    page = one.open(f"/playground?{CHAIN}")
    ask(page, "What makes an LLM bill grow?")

    expect(page.get_by_text("gpt-4.1 is writing")).to_be_visible()
    first = page.get_by_test_id("stChatMessage").last.inner_text()
    page.wait_for_timeout(400)
    assert len(page.get_by_test_id("stChatMessage").last.inner_text()) > len(first)
    expect(page.get_by_text(re.compile(r"first token [\d,]+ ms")).first).to_be_visible(timeout=30_000)
    one.settle()
    assert one.axe() == []


def test_stop_ends_the_answer_keeps_it_and_marks_it(visit: OpenVisit) -> None:
    one = visit()
    page = one.open(f"/playground?{CHAIN}")
    ask(page, "Summarise why failover matters, at length.")
    expect(page.get_by_text("gpt-4.1 is writing")).to_be_visible()
    page.locator(".st-key-playground_stop_now button").click()

    expect(page.get_by_text("Incomplete: stopped, and the connection closed")).to_be_visible()
    expect(page.get_by_role("button", name="Ask again")).to_be_visible()
    assert "stop" not in page.url


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_page_opens_at_its_top_and_shows_what_is_sent(visit: OpenVisit, width: int, height: int) -> None:
    one = visit(width=width, height=height)
    page = one.open(f"/playground?{CHAIN}&playground_mode=nonsense")
    main = page.locator(".stMain")
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport(ratio=1)
    assert main.evaluate("one => one.scrollTop") == 0
    for count in (2, 4):
        main.evaluate("one => { one.scrollTop = 0; }")
        ask(page, "What makes an LLM bill grow?")
        expect(page.get_by_test_id("stChatMessage")).to_have_count(count)
        expect(page.get_by_text("tokens/s")).to_have_count(count // 2, timeout=30_000)
        one.settle()
        expect(page.get_by_test_id("stChatMessage").last).to_be_in_viewport(ratio=0.95)


def test_the_stop_of_the_toolbar_ends_an_answer_like_the_pages_own(visit: OpenVisit) -> None:
    one = visit()
    page = one.open(f"/playground?{CHAIN}")
    ask(page, "Summarise why failover matters, at length.")
    expect(page.get_by_text("gpt-4.1 is writing")).to_be_visible()
    page.get_by_test_id("stStatusWidget").get_by_role("button").click()

    expect(page.get_by_text("Incomplete: stopped, and the connection closed")).to_be_visible()
    expect(page.get_by_text("set aside for calls under way")).to_have_count(0)


def test_a_broken_model_is_replaced_before_the_eyes(visit: OpenVisit) -> None:
    one = visit()
    page = one.open(f"/playground?{CHAIN}")
    break_it(page, "500 server error")
    ask(page, "What makes an LLM bill grow?")

    expect(page.get_by_text("2 attempts")).to_be_visible(timeout=30_000)
    expect(page.get_by_text(re.compile("HTTP 500.*moved on")).first).to_be_visible()
    one.settle()
    assert one.axe() == []


def test_half_an_answer_is_kept_and_the_next_model_goes_on(visit: OpenVisit) -> None:
    one = visit()
    page = one.open(f"/playground?{CHAIN}")
    break_it(page, "Cut in the middle")
    ask(page, "What makes an LLM bill grow?")

    expect(page.get_by_text("Incomplete: the answer was cut off")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Continue with claude-sonnet-4-5").click()
    expect(page.get_by_text(re.compile("claude-sonnet-4-5.*first token"))).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stChatMessage")).to_have_count(3)


@pytest.mark.parametrize(("width", "lang", "dark"), [(1440, "en-US", False), (390, "ko-KR", True)])
def test_models_answer_beside_each_other(visit: OpenVisit, width: int, lang: str, dark: bool) -> None:
    one = visit(width=width, lang=lang, dark=dark, height=900)
    page = one.open("/playground?playground_mode=side")
    ask(page, "What makes an LLM bill grow?")

    vote = page.get_by_role("button", name=re.compile(r"(Best|최고|추천|좋음).*\(0\)")).first
    expect(vote).to_be_visible(timeout=30_000)
    one.settle()
    expect(page.get_by_test_id("stDataFrame")).to_have_count(1)
    assert not one.has_sideways_scroll()
    assert one.axe() == []


def test_a_typed_key_is_found_nowhere_after_the_visit(visit: OpenVisit, program: Program) -> None:
    one = visit()
    seen: list[str] = []
    page = one.page
    page.on("response", lambda answer: seen.append(answer.url))
    one.open(f"/playground?{CHAIN}")
    page.get_by_role("button", name="Keys").click()
    field = page.get_by_role("textbox", name="Key", exact=True)
    field.fill(SECRET)
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_text("Set for this visit: HolySheep")).to_be_visible()
    page.keyboard.press("Escape")
    ask(page, "What makes an LLM bill grow?")
    expect(page.get_by_text(re.compile(r"first token [\d,]+ ms")).first).to_be_visible(timeout=30_000)
    one.settle()
    with page.expect_download() as saved:
        page.get_by_role("button", name="JSON").click()

    assert SECRET not in Path(saved.value.path()).read_text(encoding="utf-8")
    assert json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))["conversation"]
    assert SECRET not in page.content()
    assert not [url for url in [*seen, page.url] if SECRET in url]
    assert SECRET not in program.log.read_text()
    for path in program.database.parent.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


@pytest.fixture(scope="module")
def upstream() -> Iterator[DemoServer]:
    """An upstream of this test's own, whose visitors it can see."""
    with DemoServer(DemoControl(speed=0.5)) as server:
        yield server


def test_a_stream_that_nobody_reads_any_more_closes_its_connection(upstream: DemoServer) -> None:
    class RerunError(BaseException):
        """What Streamlit raises in a script whose browser has left or moved on."""

    with Gateway(upstream.endpoints()) as gateway:
        request = ChatRequest(messages=[Message(role="user", content="Go on")])
        turn = Turn(role="assistant", ending="running", began=time.perf_counter())
        turn.stream = gateway.stream(request, [Target(endpoint="demo-openai", model="gpt-4.1")])

        def paint(changed: Turn) -> None:
            if changed.text:
                raise RerunError

        with pytest.raises(RerunError):
            follow([turn], paint, tick=lambda: None)

        until = time.monotonic() + 3
        while time.monotonic() < until and upstream.control.visits()[-1].ending == "running":
            threading.Event().wait(0.02)
        assert upstream.control.visits()[-1].ending == "closed_by_client"
        assert turn.ending == "cancelled"
        assert turn.text
