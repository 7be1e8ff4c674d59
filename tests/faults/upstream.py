"""A raw-socket upstream that sends exactly the bytes it was told to, or worse."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

KEY = "sk-hunted-0123456789abcdef"
GOOD_TEXT = "All is well."

Script = bytes | Callable[[socket.socket, threading.Event], None]


def http(
    status: int, body: bytes | str | dict[str, Any] | list[Any] = b"", *, kind: str = "application/json", **headers: str
) -> bytes:
    """A whole answer with its length; underscores in header names become hyphens."""
    if isinstance(body, dict | list):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    head = {"Content-Type": kind, "Content-Length": str(len(raw)), "Connection": "close"}
    head |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + raw


def until_close(body: bytes, *, kind: str = "text/event-stream", **headers: str) -> bytes:
    """A 200 whose end is the end of the connection."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n{lines}\r\n".encode() + body


def chunked(pieces: Iterable[bytes], *, is_ended: bool = True, kind: str = "text/event-stream") -> bytes:
    """A 200 in chunks; without its end the connection breaks in the middle."""
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + body + (b"0\r\n\r\n" if is_ended else b"")


def zipped(body: bytes) -> bytes:
    """A gzip body."""
    return gzip.compress(body, mtime=0)


def completion(text: str | None = GOOD_TEXT, **more: Any) -> dict[str, Any]:
    """A whole OpenAI answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {"id": "x", "object": "chat.completion", "model": "m-1", "choices": [choice], "usage": usage, **more}


def delta(text: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of an OpenAI stream."""
    content = {} if text is None else {"content": text}
    return {"model": "m-1", "choices": [{"index": 0, "delta": content, "finish_reason": finish}], **more}


def sse(*events: dict[str, Any] | str, newline: str = "\n") -> bytes:
    """Events as they go over the wire."""
    texts = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in events]
    return "".join(f"data: {one}{newline}{newline}" for one in texts).encode()


USAGE = {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}
GOOD_STREAM = sse(delta("All is "), delta("well."), delta(finish="stop"), USAGE, "[DONE]")


def hang(_conn: socket.socket, stop: threading.Event) -> None:
    """Takes the request and says nothing."""
    stop.wait(10)


def reset(conn: socket.socket, _stop: threading.Event) -> None:
    """Drops the connection with a TCP reset."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def then_hang(first: bytes) -> Script:
    """Sends something, then falls silent."""

    def run(conn: socket.socket, stop: threading.Event) -> None:
        conn.sendall(first)
        stop.wait(10)

    return run


def then_reset(first: bytes) -> Script:
    """Sends something, then resets the connection."""

    def run(conn: socket.socket, stop: threading.Event) -> None:
        conn.sendall(first)
        time.sleep(0.05)
        reset(conn, stop)

    return run


def drip(first: bytes, piece: bytes, pause_s: float = 0.03) -> Script:
    """Sends something, then one piece after the other for ever."""

    def run(conn: socket.socket, stop: threading.Event) -> None:
        conn.sendall(first)
        while not stop.wait(pause_s):
            conn.sendall(piece)

    return run


def in_pieces(whole: bytes, size: int = 1) -> Script:
    """Sends an answer a few bytes at a time: every border there can be."""

    def run(conn: socket.socket, _stop: threading.Event) -> None:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(0, len(whole), size):
            conn.sendall(whole[place : place + size])

    return run


@dataclass(repr=False)
class HostileUpstream:
    """Answers by the first segment of the path: `/<script>/v1/...`; `good` is a healthy server."""

    scripts: dict[str, Script] = field(default_factory=dict)
    requests: list[tuple[str, bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._accepting.join(5)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def url(self, script: str) -> str:
        return f"http://127.0.0.1:{self.port}/{script}/v1"

    def count(self, script: str) -> int:
        """How many requests a script has got."""
        return sum(name == script for name, _ in self.requests)

    def _accept(self) -> None:
        while not self._stop.is_set():
            conn, _ = self._listener.accept()
            thread = threading.Thread(target=self._serve, args=(conn,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, conn: socket.socket) -> None:
        with conn:
            conn.settimeout(10)
            try:
                raw = _read_request(conn)
                if raw:
                    self._answer(conn, raw)
            except OSError:
                return  # the gateway left, as it should

    def _answer(self, conn: socket.socket, raw: bytes) -> None:
        name = raw.split(b" ", 2)[1].split(b"/")[1].decode()
        self.requests.append((name, raw))
        if name.startswith("good"):
            is_streamed = b'"stream": true' in raw or b'"stream":true' in raw
            conn.sendall(until_close(GOOD_STREAM) if is_streamed else http(200, completion()))
            return
        script = self.scripts[name]
        if isinstance(script, bytes):
            conn.sendall(script)
        else:
            script(conn, self._stop)


def _read_request(conn: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = conn.recv(65536)
        if not piece:
            return b""
        raw += piece
        if raw[:1] == b"\x16":
            return b""  # a TLS greeting on a plain port
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
    )
    while len(body) < length:
        body += conn.recv(65536)
    return head + b"\r\n\r\n" + body
