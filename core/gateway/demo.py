"""How can everything be tried without a key? A real HTTP server on loopback that simulates several sellers.

with DemoServer() as demo:
    gateway = Gateway(demo.endpoints())
    demo.control.set_fault("gpt-4.1", "rate_limited")
"""

from __future__ import annotations

import socket
import threading
from typing import Self

from core.gateway.demo_answers import MODELS
from core.gateway.demo_control import ENDPOINT_PREFIX, FAULTS, DemoControl, Fault, Visit
from core.gateway.endpoints import Endpoint

__all__ = ["DEMO_KEY", "ENDPOINT_PREFIX", "FAULTS", "DemoControl", "DemoServer", "Fault", "Visit"]

DEMO_KEY = "demo-key-of-nobody"
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0


class DemoServer:
    """The demo upstream in a thread of its own, on 127.0.0.1 and a free port; nothing runs before `start`."""

    def __init__(self, control: DemoControl | None = None) -> None:
        self.control = control or DemoControl()
        self._server: object | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    @property
    def origin(self) -> str:
        """Where it listens; RuntimeError while it does not."""
        if not self._port:
            raise RuntimeError("The demo upstream is not running: call start() first.")
        return f"http://127.0.0.1:{self._port}"

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> Self:
        """Starts it and waits until it listens; does nothing when it runs. Raises OSError, TimeoutError."""
        if self.is_running:
            return self
        import uvicorn  # late: the gateway can be used without it

        from core.gateway.demo_app import build

        config = uvicorn.Config(
            build(self.control), log_config=None, log_level="critical", access_log=False, lifespan="off", ws="none",
            loop="asyncio", http="h11", timeout_keep_alive=75, timeout_graceful_shutdown=0,
        )  # fmt: skip
        server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="demo-upstream", daemon=True)
        thread.start()
        self._port = listener.getsockname()[1]
        self._server, self._thread = server, thread
        self._await_start(server, thread)
        return self

    def _await_start(self, server: object, thread: threading.Thread) -> None:
        pause = threading.Event()
        for _ in range(int(START_TIMEOUT_S / 0.005)):
            if getattr(server, "started", False):
                return
            if not thread.is_alive():
                break
            pause.wait(0.005)
        self.stop()
        raise TimeoutError("The demo upstream did not start.")

    def stop(self) -> None:
        """Closes every connection and ends the thread; does nothing when it does not run."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True  # type: ignore[attr-defined]  # kept as object: uvicorn is imported late
            self._thread.join(STOP_TIMEOUT_S)
        self._server, self._thread, self._port = None, None, 0

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def endpoints(self, api_key: str = DEMO_KEY) -> tuple[Endpoint, ...]:
        """One endpoint per simulated seller. A key of one's own has faults of its own.

        Each seller gets the key with its own ending: were they equal, one refused key would rule out all sellers.
        """
        dialects = {one.provider_id: one.dialect for one in MODELS}
        return tuple(
            Endpoint(
                name=f"{ENDPOINT_PREFIX}{provider_id}",
                base_url=f"{self.origin}/{provider_id}" + ("" if dialect == "gemini" else "/v1"),
                api_key=f"{api_key}.{provider_id}",
                dialect=dialect,
                provider_id=provider_id,
                models=tuple(one.name for one in MODELS if one.provider_id == provider_id),
            )
            for provider_id, dialect in dialects.items()
        )
