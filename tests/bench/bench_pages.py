"""How long does a page take to answer a moved input, against a bare page with the same chart, in one run?

Server side, through Streamlit's websocket: from the message that moves a widget to the end of the script.
"""

from __future__ import annotations

import resource
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
SESSIONS, LOAD_S, SESSION_MB = 50, 20.0, 0.5
LOADED = "monthly-cost"

# Page path, the widget to move, and two values it goes between.
MOVES: dict[str, tuple[str, float, float]] = {
    "monthly-cost": ("wl_growth_per_month_slider", 3, 4),
    "gpu-clouds": ("gc_storage", 100, 200),
    "model-prices": ("mp_cap", 1_000, 1_001),
    "rent-or-call": ("sh_t_staff", 0.1, 0.2),
    "roi": ("roi_migration", 1_000, 2_000),
}
# The expander that holds the widget.
HOLDERS = {"rent-or-call": "sh_rules"}


def rows() -> list[Row]:
    """Ratios of medians for pages, bytes, and the load of fifty sessions."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/bench.db"
        open_catalog(url).close()
        port, process = stack.enter_context(serving("app.py", {"BREAKEVEN_DATABASE_URL": url}))
        found, specs = [], {}
        for page in MOVES:
            specs[page] = folder / f"{page}.json"
            specs[page].write_text(_chart_of(port, page), encoding="utf-8")
            env = {"BARE_FREEZE": "1", "BARE_SPEC": str(specs[page])}
            with serving(BARE, env, FROZEN, BARE.parent) as (bare, _):
                found += _page(port, bare, page)
        with serving(BARE, {"BARE_SPEC": str(specs[LOADED])}, cwd=BARE.parent) as (default, _):
            found += _load(port, process, default)
        return found


def _chart_of(port: int, page: str) -> str:
    visit = Visit(port, page=page)
    visit.run()
    visit.close()
    return visit.charts[0]


def _page(port: int, bare: int, page: str) -> list[Row]:
    key, one, other = MOVES[page]
    ours, floor = Visit(port, page=page), Visit(bare)
    ours.run()
    floor.run()
    if page in HOLDERS:
        ours.open(HOLDERS[page])
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
    note = "bare frozen page with the same chart; server side"
    return [
        Row(what=f"{page}: moved input to result", ours=medians["ours"], peer=medians["floor"], unit="ms", goal=1.5,
            note=note),
        Row(what=f"{page}: bytes per rerun", ours=sizes["ours"], peer=sizes["floor"], unit="B", goal=None, note=note),
    ]  # fmt: skip


def _load(port: int, process: int, default: int) -> list[Row]:
    """Reruns per second of fifty sessions that move one input a second, and what a session keeps in memory."""
    before, ours, peer = _resident_mb(process), [], []
    for pace_s in (1.0, 0.0):
        ours.append(_reruns_per_s(lambda: Visit(port, page=LOADED), MOVES[LOADED][0], pace_s))
        if pace_s:
            grown = _resident_mb(process) - before
        peer.append(_reruns_per_s(lambda: Visit(default), "slider", pace_s))
    what, note = f"{SESSIONS} sessions", "against a default Streamlit page with the same chart"
    paced, free = f"{what}, one change a second each", f"{what}, each as soon as it is answered"
    return [
        Row(what=f"{paced}: reruns/s", ours=ours[0], peer=SESSIONS, unit="1/s", goal=0.95, higher_is_better=True,
            note=f"of all that are asked for; {note}: {peer[0]:.1f}, {ours[0] / peer[0]:.2f} times"),
        Row(what=f"{free}: reruns/s", ours=ours[1], peer=peer[1], unit="1/s", goal=4.0, higher_is_better=True,
            note=note),
        Row(what=f"{paced}: memory per session", ours=grown / SESSIONS, peer=SESSION_MB, unit="MB", goal=1.0),
    ]  # fmt: skip


def _resident_mb(process: int) -> float:
    fields = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * resource.getpagesize() / 1e6


def _reruns_per_s(make: Callable[[], Visit], key: str, pace_s: float) -> float:
    visits = [make() for _ in range(SESSIONS)]
    for visit in visits:
        visit.run()
    counts = [0] * SESSIONS
    until = time.monotonic() + LOAD_S

    def work(place: int) -> None:
        while time.monotonic() < until:
            start = time.monotonic()
            visits[place].move(key, 1 + (place + counts[place]) % SESSIONS)
            counts[place] += 1
            time.sleep(max(0.0, pace_s - (time.monotonic() - start)))

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
