"""How fast is the monthly simulation against plain numpy, and how light is a slider's way to a new chart?"""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from core.costs import monthly_outlook
from core.costs.monthly import ModelWay, simulate
from core.costs.tokens import PriceRow, PriceSheet
from core.workload import Workload
from tests.bench import Row, interleaved
from tests.bench.wire import serving
from tests.e2e.conftest import ARGUMENTS, find_browser

PATHS, MONTHS, WAYS = 10_000, 36, 5
START = dt.date(2026, 12, 1)
PEAK_MB = 60
ROUNDS = 40
SETTLE_MS = 400
MB = 1e6


def _ways() -> list[ModelWay]:
    found = []
    for place in range(WAYS):
        rows = tuple(
            PriceRow(component=name, micro_usd_per_mtok=price * (place + 1))
            for name, price in (("input", 2_000_000), ("cache_read", 500_000), ("output", 8_000_000))
        )
        found.append(ModelWay(name=f"way {place}", sheet=PriceSheet(provider_id="p", model_id=str(place), rows=rows)))
    return found


WORKLOAD = Workload(
    growth_per_month=0.05, seasonality=0.2, retry_share=0.05, cached_share=0.3, horizon_months=MONTHS,
    budget_usd_per_month=1_000.0,
)  # fmt: skip


def _ours_cold() -> object:
    """With the random numbers drawn anew, as a first visitor has it."""
    monthly_outlook.input_scores.cache_clear()
    return simulate(WORKLOAD, _ways(), start=START, paths=PATHS)


def _ours() -> object:
    return simulate(WORKLOAD, _ways(), start=START, paths=PATHS)


def _floor() -> object:
    """The same figures in bare numpy: draws, volumes, cost of each way, percentiles, chances, totals."""
    generator = np.random.default_rng(1)
    month = np.arange(MONTHS)[:, None]
    volume = (
        50_000
        * 1.05**month
        * np.exp(0.05 * generator.standard_normal((MONTHS, PATHS)) + 0.01 * month * generator.standard_normal(PATHS))
    )
    price = np.exp(0.05 / 12 * month * generator.standard_normal(PATHS))
    found = []
    for place in range(WAYS):
        unit = 0.007 * (place + 1) * np.exp(0.1 * generator.standard_normal(PATHS))
        cost = volume * price * unit
        total = cost.sum(axis=0)
        found.append(
            (
                np.percentile(cost, [10, 50, 90], axis=1),
                (cost > 1_000).mean(axis=1),
                np.percentile(total, [10, 50, 90]),
                (total > 36_000).mean(),
            )
        )
    return found


def _peak_mb() -> float:
    monthly_outlook.input_scores.cache_clear()
    tracemalloc.start()
    simulate(WORKLOAD, _ways(), start=START, paths=PATHS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / MB


# When the number changes and when the chart was last drawn at, both counted from the key.
WATCH = """(metric) => {
  const text = () => document.querySelectorAll('[data-testid=stMetric]')[metric]?.textContent;
  const before = text();
  window.seen = {start: 0, number: 0, chart: 0};
  window.addEventListener('keydown', () => { window.seen.start = performance.now(); }, {capture: true, once: true});
  if (!window.watched) {
    new MutationObserver((records) => {
      const inChart = records.some((record) => record.target.closest && record.target.closest('.js-plotly-plot'));
      if (inChart && window.seen.start) window.seen.chart = performance.now();
    }).observe(document.body, {subtree: true, childList: true, attributes: true});
    window.watched = true;
  }
  const look = () => {
    if (window.seen.start && !window.seen.number && text() !== before) window.seen.number = performance.now();
    if (!window.seen.number) requestAnimationFrame(look);
  };
  look();
}"""


class _Tab:
    """A page in a real browser whose slider is moved by key."""

    def __init__(self, browser: Browser, url: str, slider: str) -> None:
        self.page = browser.new_page()
        self.bytes = 0
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        self.page.goto(url)
        self.page.wait_for_selector(".scatterlayer path.js-line", timeout=60_000, state="attached")
        self.page.wait_for_timeout(2_000)
        self.slider = self.page.locator(f".st-key-{slider} input[type=range]")

    def _count(self, frame: str | bytes) -> None:
        self.bytes += len(frame)

    def move(self) -> tuple[float, float, float]:
        """Milliseconds from the key to the new number and to the new chart, and bytes received."""
        self.slider.focus()
        self.page.evaluate(WATCH, 0)
        before = self.bytes
        self.slider.press("ArrowRight")
        self.page.wait_for_function("window.seen.number && window.seen.chart", timeout=20_000)
        self.page.wait_for_timeout(SETTLE_MS)
        seen = self.page.evaluate("window.seen")
        return seen["number"] - seen["start"], seen["chart"] - seen["start"], self.bytes - before


def _page() -> list[Row]:
    """A slider's way to a new number and a new chart in a real browser, and the bytes sent for it."""
    env = {"BREAKEVEN_DATABASE_URL": f"sqlite:///{Path(tempfile.mkdtemp()) / 'bench.db'}"}
    bare_options = ("--runner.postScriptGC", "false")
    with (
        serving(Path(__file__).parent / "apps" / "bare.py", {"BARE_FREEZE": "1"}, bare_options) as (bare, _),
        serving("app.py", env) as (ours, _),
        sync_playwright() as playwright,
    ):
        path = find_browser(playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        floor = _Tab(browser, f"http://127.0.0.1:{bare}/", "slider")
        page = _Tab(browser, f"http://127.0.0.1:{ours}/monthly-cost?months=36", "wl_growth_per_month_slider")
        found: dict[str, list[tuple[float, float, float]]] = {"floor": [], "page": []}
        for number in range(-2, ROUNDS):
            for name, tab in (("floor", floor), ("page", page)):
                measured = tab.move()
                if number >= 0:
                    found[name].append(measured)
        browser.close()
    ours_ms, peer_ms = (
        [statistics.median(column) for column in zip(*found[name], strict=True)] for name in ("page", "floor")
    )
    note = "peer: bare page with a slider, a metric and a chart of 4 lines over 36 months, garbage collection frozen"
    return [
        Row(what="slider to new number", ours=ours_ms[0], peer=peer_ms[0], unit="ms", goal=1.3, note=note),
        Row(what="slider to new chart", ours=ours_ms[1], peer=peer_ms[1], unit="ms", goal=1.5, note=note),
        Row(what="bytes per slider move", ours=ours_ms[2] / 1e3, peer=peer_ms[2] / 1e3, unit="kB", goal=2.0),
    ]


def rows() -> list[Row]:
    """The bench table of the simulation and its page."""
    found = interleaved({"ours": _ours, "cold": _ours_cold, "peer": _floor})
    what = f"{PATHS:,} paths x {MONTHS} months x {WAYS} ways"
    return [
        Row(
            what=what, ours=found["ours"] * 1e3, peer=found["peer"] * 1e3, unit="ms", goal=3.0, note="peer: bare numpy"
        ),
        Row(what=f"{what}, first run", ours=found["cold"] * 1e3, peer=found["peer"] * 1e3, unit="ms", goal=3.0),
        Row(what=f"{what}, peak extra memory", ours=_peak_mb(), peer=PEAK_MB, unit="MB", goal=1.0),
        *_page(),
    ]
