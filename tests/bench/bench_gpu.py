"""How fast are the offers filtered and sorted, and how fast does the catalog open, the first time and later?"""

from __future__ import annotations

import datetime as dt
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from playwright.sync_api import Browser, sync_playwright

from core.catalog import open_catalog
from core.costs.gpu_ranking import OfferFilter, rate
from core.costs.gpu_specs import gpu_specs
from tests.bench import Row, interleaved
from tests.bench.wire import Visit, serving
from tests.conftest import PROJECT
from tests.e2e.conftest import ARGUMENTS, find_browser

LIMIT_MS, FIRST_START_S = 20.0, 5.0
STARTS = 3
BARE = Path(__file__).parent / "apps" / "bare.py"
TODAY = dt.date(2026, 11, 23)
# A catalog opened by a fresh interpreter says how long that took, imports included.
OPEN = """
import sys, time
start = time.perf_counter()
from core.catalog import open_catalog
open_catalog(sys.argv[1]).close()
print(time.perf_counter() - start, "genai_prices" in sys.modules)
"""


def rows() -> list[Row]:
    """Filter and sort against a pandas floor and 20 ms; first start against 5 s, a later one against a bare page's."""
    with tempfile.TemporaryDirectory() as folder:
        first = [_open(f"sqlite:///{folder}/first{number}.db")[0] for number in range(3)]
        url = f"sqlite:///{folder}/first0.db"
        later = [_open(url) for _ in range(STARTS)]
        started = [(_start("app.py", url, "gpu-clouds"), _start(BARE, url, "")) for _ in range(STARTS)]
        painted = _painted(url)
        with open_catalog(f"sqlite:///{folder}/first0.db") as catalog:
            offers = catalog.gpu_offers()
    frame = pd.DataFrame([asdict(one) for one in offers])
    specs = gpu_specs()

    def ours() -> object:
        return rate(offers, OfferFilter(), specs=specs, today=TODAY, measure="bf16")

    def floor() -> object:
        wanted = frame[(frame.gpu_count >= 1) & (frame.micro_usd_per_hour > 0)]
        return wanted.sort_values(["as_of", "micro_usd_per_hour"])

    found = interleaved({"ours": ours, "peer": floor})
    ms = found["ours"] * 1e3
    imported = any(flag for _, flag in later)
    later_s = statistics.median(seconds for seconds, _ in later)
    return [
        Row(
            what=f"filter and sort {len(offers)} offers", ours=ms, peer=LIMIT_MS, unit="ms", goal=1.0,
            note=f"{found['ours'] / found['peer']:.1f} x a pandas filter and sort without rules and speeds",
        ),
        Row(
            what="first start, database filled", ours=statistics.median(first), peer=FIRST_START_S, unit="s", goal=1.0
        ),
        Row(
            what="later start, to the first chart in a browser", ours=painted["ours"], peer=painted["bare"], unit="s",
            goal=1.3, note="floor: a bare Streamlit page with a chart",
        ),
        Row(
            what="later start, server alone, to the first GPU page",
            ours=statistics.median(ours_s for ours_s, _ in started),
            peer=statistics.median(bare_s for _, bare_s in started), unit="s", goal=1.3,
            note=f"floor: a bare Streamlit page with a chart; catalog alone {later_s:.2f} s with imports, "
            f"price library imported: {'YES' if imported else 'no'}",
        ),
    ]  # fmt: skip


def _open(url: str) -> tuple[float, bool]:
    seconds, imported = _run(OPEN, url).split()
    return float(seconds), imported == "True"


def _start(script: Path | str, url: str, page: str) -> float:
    """Seconds from starting the program to the end of the first visitor's first run."""
    start = time.perf_counter()
    with serving(script, {"BREAKEVEN_DATABASE_URL": url, "BARE_FREEZE": "1"}) as (port, _):
        visit = Visit(port, page=page)
        visit.run()
        seconds = time.perf_counter() - start
        visit.close()
    return seconds


def _painted(url: str) -> dict[str, float]:
    """Median seconds from starting the program to the first chart in a real browser, ours and the bare page's."""
    found: dict[str, list[float]] = {"ours": [], "bare": []}
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=find_browser(player.chromium.executable_path), args=ARGUMENTS)
        for _ in range(STARTS):
            found["ours"].append(_paint(browser, "app.py", url, "gpu-clouds"))
            found["bare"].append(_paint(browser, BARE, url, ""))
        browser.close()
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def _paint(browser: Browser, script: Path | str, url: str, page: str) -> float:
    start = time.perf_counter()
    with serving(script, {"BREAKEVEN_DATABASE_URL": url, "BARE_FREEZE": "1"}) as (port, _):
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(f"http://127.0.0.1:{port}/{page}")
        tab.wait_for_selector(".js-plotly-plot .main-svg", state="attached", timeout=60_000)
        seconds = time.perf_counter() - start
        context.close()
    return seconds


def _run(code: str, argument: str) -> str:
    time.sleep(0.05)
    done = subprocess.run(
        [sys.executable, "-c", code, argument], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout
