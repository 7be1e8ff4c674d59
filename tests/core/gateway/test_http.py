"""Which way does a request take: a kept connection, a transport of the caller's, or a proxy of the environment?"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import httpx
import pytest

from core.gateway import ChatRequest, Endpoint, Gateway, Message, Policy, Target
from core.gateway import lines as lines_module
from core.gateway.errors import ConnectError

ANSWER = {"model": "m", "choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}
REQUEST = ChatRequest(messages=[Message(role="user", content="hi")])
TARGETS = [Target(endpoint="one", model="m")]


class Upstream(http.server.ThreadingHTTPServer):
    """Answers any POST, with `answers` first; `paths` and `peers` say what was asked and from which port."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.paths: list[str] = []
        self.peers: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[bytes] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.paths.append(self.path)
        self.server.peers.append(self.client_address[1])
        self.server.headers.append(dict(self.headers))
        body = self.server.answers.pop(0) if self.server.answers else json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def test_a_connection_is_used_again(upstream: Upstream) -> None:
    base = f"http://127.0.0.1:{upstream.server_port}/v1"
    with Gateway([Endpoint(name="one", base_url=base, api_key="k")]) as gateway:
        for _ in range(5):
            assert gateway.chat(REQUEST, TARGETS).text == "hello"
    assert len(set(upstream.peers)) == 1
    assert upstream.headers[0]["host"] == f"127.0.0.1:{upstream.server_port}"


def test_a_connection_that_waited_too_long_is_left(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "KEEPALIVE_S", 0.0)
    base = f"http://127.0.0.1:{upstream.server_port}/v1"
    with Gateway([Endpoint(name="one", base_url=base, api_key="k")]) as gateway:
        for _ in range(3):
            assert gateway.chat(REQUEST, TARGETS).text == "hello"
    assert len(set(upstream.peers)) == 3


def test_a_connection_that_gave_an_unusable_answer_is_left(upstream: Upstream) -> None:
    upstream.answers = [b"{}"]
    base = f"http://127.0.0.1:{upstream.server_port}/v1"
    with Gateway([Endpoint(name="one", base_url=base, api_key="k")], policy=Policy(backoff_base_s=0.01)) as gateway:
        reply = gateway.chat(REQUEST, TARGETS)
    assert [attempt.outcome for attempt in reply.attempts] == ["error", "ok"]
    assert len(set(upstream.peers)) == 2


def test_a_proxy_of_the_environment_is_used_only_when_asked(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{upstream.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    endpoint = Endpoint(name="one", base_url="http://127.0.0.1:9/v1", api_key="k")
    with Gateway([endpoint], trust_env=True) as gateway:
        assert gateway.chat(REQUEST, TARGETS).text == "hello"
    assert upstream.paths == ["http://127.0.0.1:9/v1/chat/completions"]
    with Gateway([endpoint]) as gateway, pytest.raises(ConnectError):
        gateway.chat(REQUEST, TARGETS)


def test_a_transport_of_the_caller_s_gets_the_requests() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=ANSWER)

    endpoint = Endpoint(name="one", base_url="https://api.example/v1", api_key="k")
    with Gateway([endpoint], transport=httpx.MockTransport(answer)) as gateway:
        assert gateway.chat(REQUEST, TARGETS).text == "hello"
    assert str(seen[0].url) == "https://api.example/v1/chat/completions"
