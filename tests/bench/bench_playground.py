"""How long after the upstream's first token is it seen, and how smooth do four answers stream beside each other?"""

from __future__ import annotations

import re
import statistics
import tempfile
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from core.catalog import open_catalog
from tests.bench import Row
from tests.bench.wire import serving
from tests.e2e.conftest import ARGUMENTS, find_browser

ROUNDS = 5
TOKEN_GOAL_MS, GAP_GOAL_MS = 60.0, 250.0
PROMPT = "What makes an LLM bill grow?"
ANSWERED_MS = 60_000
# From the key that sends to the first word of the answer (its note, which comes earlier, is a caption).
FIRST_WORD = """() => {
  window.first = {start: 0, word: 0};
  window.addEventListener('keydown', () => { window.first.start = performance.now(); }, {capture: true, once: true});
  const known = document.querySelectorAll('[data-testid=stChatMessage]').length;
  const look = () => {
    const messages = [...document.querySelectorAll('[data-testid=stChatMessage]')].slice(known + 1);
    const word = messages.some((one) => [...one.querySelectorAll('[data-testid=stMarkdownContainer]')].some(
      (part) => !part.closest('[data-testid=stCaptionContainer], button') && part.innerText.trim()));
    if (word) window.first.word = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}"""
# When the text of each column changed.
CHANGES = """() => {
  window.changes = [];
  const seen = new Map();
  const look = () => {
    document.querySelectorAll('[data-testid=stColumn]').forEach((column, place) => {
      const text = column.innerText.length;
      if (seen.get(place) !== text) { seen.set(place, text); window.changes.push([place, performance.now()]); }
    });
    requestAnimationFrame(look);
  };
  look();
}"""


def rows() -> list[Row]:
    """In a real browser, on the simulated models at a human's pace."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        open_catalog(url).close()
        with serving("app.py", {"BREAKEVEN_DATABASE_URL": url}) as (port, _), sync_playwright() as playwright:
            path = find_browser(playwright.chromium.executable_path)
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            page = browser.new_page()
            extra = statistics.median(_extra_ms(page, f"http://127.0.0.1:{port}") for _ in range(ROUNDS))
            gap = _largest_gap_ms(browser.new_page(), f"http://127.0.0.1:{port}")
            browser.close()
    return [
        Row(what="first token shown, above the upstream's own", ours=extra, peer=TOKEN_GOAL_MS, unit="ms", goal=1.0,
            note="peer: the limit; from the key that sends"),
        Row(what="four streams: largest gap between updates", ours=gap, peer=GAP_GOAL_MS, unit="ms", goal=1.0,
            note="peer: the limit"),
    ]  # fmt: skip


def _ask(page: Page) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(PROMPT)
    box.press("Enter")


def _extra_ms(page: Page, base: str) -> float:
    """Milliseconds from Enter to the first word, less the time to first token that the gateway measured."""
    page.goto(f"{base}/playground?playground_chain=demo-openai/gpt-4.1")
    page.get_by_test_id("stChatInputTextArea").wait_for()
    page.wait_for_timeout(1_500)
    page.evaluate(FIRST_WORD)
    _ask(page)
    page.wait_for_function("window.first.word", timeout=ANSWERED_MS)
    seen = page.evaluate("window.first.word - window.first.start")
    told = page.get_by_text(re.compile(r"first token [\d,]+ ms")).first
    told.wait_for(timeout=ANSWERED_MS)
    found = re.search(r"first token ([\d,]+) ms", told.inner_text())
    return float(seen) - float(found[1].replace(",", "") if found else 0)


def _largest_gap_ms(page: Page, base: str) -> float:
    """The longest any column stood still between two of its updates."""
    page.goto(f"{base}/playground?playground_mode=side")
    page.get_by_test_id("stChatInputTextArea").wait_for()
    page.wait_for_timeout(1_500)
    _ask(page)
    page.get_by_text(re.compile("is writing")).first.wait_for(timeout=ANSWERED_MS)
    page.wait_for_timeout(1_000)
    page.evaluate(CHANGES)
    page.wait_for_timeout(2_500)
    times: dict[int, list[float]] = {}
    for place, moment in page.evaluate("window.changes"):
        times.setdefault(place, []).append(moment)
    # The first entry of a column is the state it was found in, not an update.
    gaps = [
        later - sooner for moments in times.values() if len(moments) > 10 for sooner, later in pairwise(moments[1:])
    ]
    return max(gaps, default=float("inf"))
