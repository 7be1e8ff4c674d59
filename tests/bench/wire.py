"""A visit without a browser: speaks Streamlit's websocket, counts bytes and times reruns of a running program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.e2e.conftest import PROJECT, free_port

FINISHED = {
    ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY,
    ForwardMsg.ScriptFinishedStatus.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
}


@contextmanager
def serving(
    script: Path | str,
    env: Mapping[str, str] | None = None,
    options: tuple[str, ...] = (),
    cwd: Path = PROJECT,
) -> Iterator[tuple[int, int]]:
    """Runs a Streamlit script on loopback with the configuration of `cwd`; gives its port and process id."""
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(script),
            "--server.port",
            str(port),
            "--server.address",
            "127.0.0.1",
            "--server.headless",
            "true",
            "--browser.gatherUsageStats",
            "false",
            *options,
        ],
        cwd=cwd,
        env={**os.environ, **(env or {}), "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the script did not start")


class Visit:
    """One session: `run()` draws the page, `move(key, value)` moves a slider or a number field."""

    def __init__(self, port: int, query: str = "", page: str = "") -> None:
        address = f"ws://127.0.0.1:{port}/_stcore/stream"
        self.socket = connect(address, subprotocols=[Subprotocol("streamlit")], max_size=None, open_timeout=60)
        self.query, self.page = query, page
        self.page_hash = ""
        self.widgets: dict[str, tuple[str, str]] = {}
        self.states: dict[str, Any] = {}
        self.exceptions: list[str] = []
        self.charts: list[str] = []

    def close(self) -> None:
        """Ends the session."""
        self.socket.close()

    def run(self, fragment: str = "") -> tuple[float, int]:
        """One rerun: seconds until the script has finished, and bytes received."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        message.rerun_script.page_script_hash = self.page_hash
        message.rerun_script.fragment_id = fragment
        for state in self.states.values():
            message.rerun_script.widget_states.widgets.append(state)
        start = time.perf_counter()
        self.socket.send(message.SerializeToString())
        return self._until_finished(start)

    def _until_finished(self, start: float) -> tuple[float, int]:
        size = 0
        while True:
            data = self.socket.recv(timeout=120)
            assert isinstance(data, bytes)
            size += len(data)
            message = ForwardMsg()
            message.ParseFromString(data)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.page_hash = message.new_session.page_script_hash
            elif kind == "delta":
                self._note(message)
            elif kind == "script_finished" and message.script_finished in FINISHED:
                return time.perf_counter() - start, size

    def _note(self, message: ForwardMsg) -> None:
        if message.delta.WhichOneof("type") == "add_block":
            block = message.delta.add_block.expandable
            self.widgets[block.id.rsplit("-", 1)[-1]] = (block.id, message.delta.fragment_id)
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        value = getattr(element, kind) if kind else None
        if kind == "exception":
            self.exceptions.append(element.exception.message)
        if kind == "plotly_chart":
            self.charts.append(element.plotly_chart.spec)
        if getattr(value, "id", ""):
            key = value.id.rsplit("-", 1)[-1]
            self.widgets[key] = (value.id, message.delta.fragment_id)

    def open(self, key: str) -> None:
        """Opens the expander with this key."""
        widget_id, fragment = self.widgets[key]
        state = BackMsg().rerun_script.widget_states.widgets.add()
        state.id, state.bool_value = widget_id, True
        self.states[widget_id] = state
        self.run(fragment)

    def move(self, key: str, value: float) -> tuple[float, int]:
        """Moves the slider or number field with this key; the rerun it causes."""
        widget_id, fragment = self.widgets[key]
        state = BackMsg().rerun_script.widget_states.widgets.add()
        state.id = widget_id
        if key.endswith("_slider") or key == "slider":
            state.double_array_value.data.append(value)
        else:
            state.double_value = value
        self.states[widget_id] = state
        return self.run(fragment)
