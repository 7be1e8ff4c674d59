"""Does a connection live, rest and end as HTTP and TLS say? Over real sockets, with real certificates."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import trustme

from core.gateway import errors as e
from core.gateway import lines as lines_module
from core.gateway.dialects.shape import Outgoing
from core.gateway.http import Http
from core.gateway.lines import UNREAD_BYTES
from tests.conftest import in_a_loop

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[[socket.socket], None]


class Upstream:
    """Serves each connection with one function; `connections` says how many there were."""

    def __init__(self, serve: Serve, context: ssl.SSLContext | None, host: str) -> None:
        upstream = self
        self.connections = 0
        self.faults: list[str] = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                upstream.connections += 1
                self.request.settimeout(5)
                try:
                    conn = context.wrap_socket(self.request, server_side=True) if context else self.request
                    with conn:
                        serve(conn)
                except OSError as error:
                    upstream.faults.append(type(error).__name__)

        class Server(socketserver.ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            allow_reuse_address = True

        self.server = Server((host, 0), Handler)
        scheme = "https" if context else "http"
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{shown}:{self.server.server_address[1]}/"


@contextmanager
def served(serve: Serve, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Upstream]:
    upstream = Upstream(serve, context, host)
    thread = threading.Thread(target=upstream.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        upstream.server.shutdown()
        thread.join(5)
        upstream.server.server_close()


def read_request(conn: socket.socket) -> bytes:
    """One request with its body; empty when the other side has left."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = conn.recv(65536)
        if not piece:
            return b""
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0)
    while len(body) < length:
        body += conn.recv(65536)
    return head + b"\r\n\r\n" + body


def always(answer: bytes) -> Serve:
    """The same answer to each request of a connection."""

    def serve(conn: socket.socket) -> None:
        while read_request(conn):
            conn.sendall(answer)

    return serve


def run(scenario: Callable[[Http], Awaitable[Any]]) -> Any:
    """A scenario with connections that are closed after it."""

    async def whole() -> Any:
        http = Http(connect_timeout_s=2, trust_env=False, transport=None)
        try:
            return await asyncio.wait_for(scenario(http), 10)
        finally:
            await http.close()

    return in_a_loop(whole())


def request(url: str, body: bytes = b"{}") -> Outgoing:
    return Outgoing(url=url, headers={}, body=body)


async def ask(http: Http, url: str, body: bytes = b"{}") -> tuple[int, bytes]:
    response = await http.send("POST", request(url, body))
    content = b"".join([chunk async for chunk in response.chunks()])
    await response.close()
    return response.status_code, content


def asked(url: str, times: int = 1, pause_s: float = 0.0, body: bytes = b"{}") -> list[tuple[int, bytes]]:
    async def scenario(http: Http) -> list[tuple[int, bytes]]:
        answers = []
        for _ in range(times):
            answers.append(await ask(http, url, body))
            await asyncio.sleep(pause_s)
        return answers

    found: list[tuple[int, bytes]] = run(scenario)
    return found


# --- TLS


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that every connection of the test trusts."""
    authority = trustme.CA()

    def create(**_: object) -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    monkeypatch.setattr(httpx, "create_ssl_context", create)
    return authority


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert(name).configure_cert(context)
    return context


def test_one_tls_connection_serves_many_calls_in_http_1_1(authority: trustme.CA) -> None:
    protocols = []

    def serve(conn: socket.socket) -> None:
        assert isinstance(conn, ssl.SSLSocket)
        protocols.append(conn.selected_alpn_protocol())
        always(GOOD)(conn)

    with served(serve, certified(authority, "127.0.0.1")) as upstream:
        assert asked(upstream.url, times=5) == [(200, b"ok")] * 5
    assert upstream.connections == 1
    assert protocols == ["http/1.1"]


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA) -> None:
    with (
        served(always(GOOD), certified(authority, "elsewhere.example")) as upstream,
        pytest.raises(e.TlsError, match="certificate"),
    ):
        asked(upstream.url)


def test_a_certificate_of_nobody_known_is_refused(authority: trustme.CA) -> None:
    del authority
    with served(always(GOOD), certified(trustme.CA(), "127.0.0.1")) as upstream, pytest.raises(e.TlsError):
        asked(upstream.url)


def test_a_tls_answer_larger_than_the_bound_arrives_whole(authority: trustme.CA) -> None:
    size = 5 * UNREAD_BYTES
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    with served(always(answer), certified(authority, "127.0.0.1")) as upstream:
        assert [len(body) for _, body in asked(upstream.url, times=2)] == [size, size]
    assert upstream.connections == 1


def test_plain_http_on_a_tls_address_is_a_tls_error(authority: trustme.CA) -> None:
    def serve(conn: socket.socket) -> None:
        conn.recv(65536)
        conn.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    del authority
    with served(serve) as upstream, pytest.raises(e.TlsError):
        asked(upstream.url.replace("http:", "https:"))


# --- Used again, or not


def test_a_connection_the_upstream_closed_while_it_rested_is_not_used() -> None:
    def serve(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(GOOD)

    with served(serve) as upstream:
        assert asked(upstream.url, times=3, pause_s=0.05) == [(200, b"ok")] * 3
    assert upstream.connections == 3


def test_bytes_nobody_asked_for_are_never_the_next_answer() -> None:
    with served(always(GOOD + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")) as upstream:
        assert asked(upstream.url, times=3, pause_s=0.05) == [(200, b"ok")] * 3
    assert upstream.connections == 3


def test_bytes_that_come_while_the_connection_rests_are_never_the_next_answer() -> None:
    def serve(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(GOOD)
        threading.Event().wait(0.05)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        read_request(conn)

    with served(serve) as upstream:
        assert asked(upstream.url, times=2, pause_s=0.15) == [(200, b"ok")] * 2
    assert upstream.connections == 2


def test_a_body_left_unread_closes_its_connection() -> None:
    async def scenario(http: Http) -> None:
        response = await http.send("POST", request(upstream.url))
        await response.close()
        assert await ask(http, upstream.url) == (200, b"ok")

    with served(always(GOOD)) as upstream:
        run(scenario)
    assert upstream.connections == 2


def test_calls_at_the_same_time_have_connections_of_their_own() -> None:
    async def scenario(http: Http) -> list[tuple[int, bytes]]:
        first = await asyncio.gather(*(ask(http, upstream.url, str(index).encode()) for index in range(20)))
        again = await asyncio.gather(*(ask(http, upstream.url, str(index).encode()) for index in range(20)))
        return [*first, *again]

    def echo(conn: socket.socket) -> None:
        while raw := read_request(conn):
            body = raw.partition(b"\r\n\r\n")[2]
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with served(echo) as upstream:
        assert run(scenario) == [(200, str(index).encode()) for index in range(20)] * 2
    assert upstream.connections == 20


# --- Order on the wire


def test_an_early_refusal_is_heard_while_a_large_request_is_still_going_out() -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"

    def serve(conn: socket.socket) -> None:
        conn.recv(1000)
        conn.sendall(refusal)
        threading.Event().wait(0.3)  # the request's rest is never taken

    with served(serve) as upstream:
        assert asked(upstream.url, body=b"x" * 30_000_000) == [(413, b"big")]


def test_what_comes_before_the_answer_is_passed_over() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with served(always(early + GOOD)) as upstream:
        assert asked(upstream.url, times=2) == [(200, b"ok")] * 2
    assert upstream.connections == 1


def test_a_slow_reader_holds_the_upstream_back() -> None:
    sent = []

    def serve(conn: socket.socket) -> None:
        read_request(conn)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        conn.settimeout(0.5)
        try:
            for _ in range(500):
                conn.sendall(b"x" * 100_000)
                sent.append(100_000)
        except TimeoutError:
            return

    async def scenario(http: Http) -> None:
        response = await http.send("POST", request(upstream.url))
        await asyncio.sleep(1.0)
        await response.close(is_sound=False)

    with served(serve) as upstream:
        run(scenario)
    assert sum(sent) < 20_000_000  # what the system's own buffers take, not the whole


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_address_is_an_address() -> None:
    try:
        with served(always(GOOD), host="::1") as upstream:
            assert asked(upstream.url) == [(200, b"ok")]
    except OSError:
        pytest.skip("no IPv6 loopback here")


def test_closing_ends_calls_in_flight_with_an_error_of_ours() -> None:
    def serve(conn: socket.socket) -> None:
        read_request(conn)
        conn.recv(1)  # the end of the connection

    async def scenario(http: Http) -> None:
        waiting = asyncio.create_task(http.send("POST", request(upstream.url)))
        await asyncio.sleep(0.1)
        await http.close()
        with pytest.raises(e.ConnectionLostError):
            await waiting

    with served(serve) as upstream:
        run(scenario)


def test_a_call_given_up_closes_its_connection() -> None:
    left = threading.Event()

    def serve(conn: socket.socket) -> None:
        read_request(conn)
        try:
            conn.recv(1)
        finally:
            left.set()

    async def scenario(http: Http) -> bool:
        waiting = asyncio.create_task(http.send("POST", request(upstream.url)))
        await asyncio.sleep(0.1)
        waiting.cancel()
        return await asyncio.to_thread(left.wait, 2)

    with served(serve) as upstream:
        assert run(scenario)


# --- Hung up on while the request was on its way


def hangs_up_on_the_second(wait_s: float = 0.0, word: bytes = b"") -> Serve:
    """Answers the first request of a connection; takes the second and leaves, perhaps with a word."""

    def serve(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(GOOD)
        if read_request(conn):
            threading.Event().wait(wait_s)
            conn.sendall(word)

    return serve


def test_a_request_that_met_a_connection_being_closed_is_sent_once_more() -> None:
    with served(hangs_up_on_the_second()) as upstream:
        assert asked(upstream.url, times=4) == [(200, b"ok")] * 4
    assert upstream.connections == 4


@pytest.mark.parametrize(("wait_s", "word"), [(0.2, b""), (0.0, b"HTTP/1.1 2")], ids=["late", "begun"])
def test_a_request_that_may_have_been_read_is_not(monkeypatch: pytest.MonkeyPatch, wait_s: float, word: bytes) -> None:
    monkeypatch.setattr(lines_module, "STALE_S", 0.1)
    faults = (e.ConnectionLostError, e.ProtocolError, e.TruncatedError)
    with served(hangs_up_on_the_second(wait_s, word)) as upstream, pytest.raises(faults):
        asked(upstream.url, times=2)
    assert upstream.connections == 1


def test_a_new_connection_that_is_hung_up_on_is_an_error() -> None:
    def serve(conn: socket.socket) -> None:
        read_request(conn)

    with served(serve) as upstream, pytest.raises(e.ConnectionLostError):
        asked(upstream.url)
    assert upstream.connections == 1
