"""A real browser in front of the real program, on loopback only."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.conftest import PROJECT

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
START_TIMEOUT_S = 120
LOAD_TIMEOUT_MS = 60_000
# A busy machine draws late; what is wrong stays wrong longer than this.
EXPECT_TIMEOUT_MS = 15_000
expect.set_options(timeout=EXPECT_TIMEOUT_MS)
READY = "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
AT_REST = """() => !document.querySelector('[data-stale=true]') && document.getAnimations().every(
  (one) => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)"""
# A deep link makes the front end probe below its path first; these two 404 are Streamlit's design.
EXPECTED_404 = ("/_stcore/health", "/_stcore/host-config")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser(default: str) -> str | None:
    """CHROMIUM, then one on PATH, then Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not Path(named).exists():
            raise RuntimeError(f"CHROMIUM names {named}, which does not exist")
        return named
    return next((found for name in NAMES if (found := shutil.which(name))), default if Path(default).exists() else None)


def install_browser() -> None:
    """Playwright's browser, else the system package manager's; what each said is shown when both fail."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get"):
        commands += [
            [*as_root, "apt-get", "update", "-q"],
            [*as_root, "apt-get", "install", "-y", "-q", "chromium", "fonts-noto-cjk"],
        ]
    elif shutil.which("dnf"):
        commands.append([*as_root, "dnf", "install", "-y", "chromium"])
    elif shutil.which("brew"):
        commands.append(["brew", "install", "--cask", "chromium"])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        print(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[-500:]}")
        if done.returncode == 0 and "playwright" in command:
            return


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all journeys; it is installed when there is none, never skipped."""
    with sync_playwright() as playwright:
        default = playwright.chromium.executable_path
        path = find_browser(default)
        if path is None:
            install_browser()
            path = find_browser(default)
        if path is None:
            pytest.fail("No Chromium: set CHROMIUM to one, or install it with the system's package manager.")
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Program:
    """The running program: its address, its database file and its log."""

    url: str
    database: Path
    log: Path


@pytest.fixture(scope="module")
def program(filled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program as a user starts it, with a database of its own, for the journeys of one file."""
    folder = tmp_path_factory.mktemp("program")
    database, log = folder / "program.db", folder / "program.log"
    shutil.copy(filled_database, database)
    port = free_port()
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.address", "127.0.0.1",
        "--server.headless", "true",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, "BREAKEVEN_DATABASE_URL": f"sqlite:///{database}"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_healthy(url, process, log)
            yield Program(url=url, database=database, log=log)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"The program ended at its start:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"The program did not start:\n{log.read_text()[-2000:]}")


@dataclass
class Visit:
    """One browser page and everything it did wrong."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        """Opens a path of the program and waits until it has been drawn."""
        self.page.goto(f"{self.base}{path}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Waits until the script has run; after an action, expect the new value first."""
        self.page.wait_for_selector(READY, timeout=LOAD_TIMEOUT_MS, state="attached")
        self.page.wait_for_timeout(150)
        self.page.wait_for_selector(READY, timeout=LOAD_TIMEOUT_MS, state="attached")

    def axe(self) -> list[str]:
        """What axe finds wrong with the page once nothing fades any more: a faded text has too little contrast."""
        self.settle()
        self.page.wait_for_function(AT_REST, timeout=LOAD_TIMEOUT_MS)
        source = Path(axe_playwright_python.__file__).parent / "axe.min.js"
        self.page.evaluate(source.read_text(encoding="utf-8"))
        result: dict[str, Any] = self.page.evaluate("axe.run()")
        return [
            f"{one['id']}: {one['help']}: {json.dumps([node['html'][:160] for node in one['nodes']][:3])}"
            for one in result["violations"]
        ]

    def has_sideways_scroll(self) -> bool:
        """Whether the page is wider than the window, or what scrolls in it: Streamlit's `main`."""
        elements = "[document.documentElement, document.querySelector('main')]"
        return bool(self.page.evaluate(f"{elements}.some(one => one.scrollWidth > one.clientWidth + 1)"))


OpenVisit = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, program: Program) -> Iterator[OpenVisit]:
    """A fresh browser profile: `visit(width=390, lang="ko-KR", dark=True)`.

    At the end no visit may have logged an error, asked another host for anything, or got an unexpected refusal.
    """
    visits: list[Visit] = []
    contexts = []

    def start(
        *, width: int = 1440, height: int = 900, lang: str = "en-US", dark: bool = False, touch: bool = False
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=lang,
            timezone_id="Asia/Seoul",
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
            is_mobile=touch,
            has_touch=touch,
        )
        contexts.append(context)
        one = Visit(page=context.new_page(), base=program.url)
        _watch(one)
        visits.append(one)
        return one

    yield start
    complaints = [text for one in visits for text in one.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


def _watch(one: Visit) -> None:
    def request(seen: Any) -> None:
        if not seen.url.startswith((one.base, "data:", "blob:", one.base.replace("http", "ws"))):
            one.complaints.append(f"request to another host: {seen.url}")

    def response(seen: Any) -> None:
        if seen.status >= 400 and not seen.url.endswith(EXPECTED_404):
            one.complaints.append(f"{seen.status} {seen.url}")

    def console(message: Any) -> None:
        if message.type == "error" and not str(message.location.get("url", "")).endswith(EXPECTED_404):
            one.complaints.append(f"console: {message.text}")

    def page_error(error: Error) -> None:
        one.complaints.append(f"page error: {error}")

    one.page.on("request", request)
    one.page.on("response", response)
    one.page.on("console", console)
    one.page.on("pageerror", page_error)
