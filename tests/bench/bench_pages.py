"""How long does a page take to answer a moved input, against a bare Streamlit page with a chart, in the same run?

Server side, through Streamlit's websocket: from the message that moves a widget to the end of the script.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from core.catalog import open_catalog
from tests.bench import Row
from tests.bench.wire import Visit, serving

BARE = Path(__file__).parent / "apps" / "bare.py"
FROZEN = ("--runner.postScriptGC", "false")
ROUNDS = 25
SESSIONS, LOAD_S = 50, 20.0

# Page path, the widget to move, and two values it goes between.
MOVES: dict[str, tuple[str, float, float]] = {
    "monthly-cost": ("wl_growth_per_month_slider", 3, 4),
    "gpu-clouds": ("gc_storage", 100, 200),
}


def rows() -> list[Row]:
    """Ratios of medians for pages, bytes, and the load of fifty sessions."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = f"sqlite:///{folder}/bench.db"
        open_catalog(url).close()
        port, _ = stack.enter_context(serving("app.py", {"BREAKEVEN_DATABASE_URL": url}))
        bare, _ = stack.enter_context(serving(BARE, {"BARE_FREEZE": "1"}, FROZEN))
        default, _ = stack.enter_context(serving(BARE))
        found = []
        for page, (key, one, other) in MOVES.items():
            row = _page(port, bare, page, key, one, other)
            found += row
        found.append(_load(port, default))
        return found


def _page(port: int, bare: int, page: str, key: str, one: float, other: float) -> list[Row]:
    ours, floor = Visit(port, page=page), Visit(bare)
    ours.run()
    floor.run()
    if key not in ours.widgets:
        return []
    times: dict[str, list[float]] = {"ours": [], "floor": []}
    sizes: dict[str, int] = {}
    for number in range(ROUNDS):
        for name, visit, widget, value in (
            ("ours", ours, key, one if number % 2 else other),
            ("floor", floor, "slider", 100 + number),
        ):
            seconds, size = visit.move(widget, value)
            times[name].append(seconds)
            sizes[name] = size
    ours.close()
    floor.close()
    medians = {name: statistics.median(values) * 1e3 for name, values in times.items()}
    return [
        Row(what=f"{page}: moved input to result", ours=medians["ours"], peer=medians["floor"], unit="ms", goal=1.5,
            note="bare frozen page with a chart; server side"),
        Row(what=f"{page}: bytes per rerun", ours=sizes["ours"], peer=sizes["floor"], unit="B", goal=2.0),
    ]  # fmt: skip


def _load(port: int, default: int) -> Row:
    """Reruns per second of fifty sessions that move one input a second."""
    key, one, other = MOVES["monthly-cost"]
    ours = _reruns_per_s(lambda: Visit(port, page="monthly-cost"), key, one, other)
    peer = _reruns_per_s(lambda: Visit(default), "slider", 100, 200)
    return Row(what="50 sessions, one change a second each: reruns/s", ours=ours, peer=peer, unit="1/s", goal=4.0,
               higher_is_better=True, note="against a default Streamlit page with a chart")  # fmt: skip


def _reruns_per_s(make: Callable[[], Visit], key: str, one: float, other: float) -> float:
    visits = [make() for _ in range(SESSIONS)]
    for visit in visits:
        visit.run()
    counts = [0] * SESSIONS
    until = time.monotonic() + LOAD_S

    def work(place: int) -> None:
        while time.monotonic() < until:
            start = time.monotonic()
            visits[place].move(key, one if counts[place] % 2 else other)
            counts[place] += 1
            time.sleep(max(0.0, 1.0 - (time.monotonic() - start)))

    threads = [threading.Thread(target=work, args=(place,)) for place in range(SESSIONS)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begin
    for visit in visits:
        visit.close()
    return sum(counts) / seconds
