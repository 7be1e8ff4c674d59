"""The web server sends what a rerun says at once, and with the headers and options that keep it safe."""

from __future__ import annotations

import socket
import tomllib

import pytest
from starlette.types import Message, Receive, Scope, Send

from pages.parts.server import HEADERS, SafeHeaders, send_at_once
from tests.conftest import PROJECT, in_a_loop


def test_what_a_listening_socket_accepts_does_not_wait_for_acknowledgements() -> None:
    # Made as Streamlit makes its own: without naming the protocol, so that asyncio leaves it alone.
    with socket.socket(socket.AF_INET) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        send_at_once()

        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "SAMEORIGIN"),
        ("referrer-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ],
)
def test_every_answer_carries_the_safe_headers(name: str, value: str) -> None:
    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    async def nothing() -> Message:
        return {"type": "http.request"}

    in_a_loop(SafeHeaders(plain)({"type": "http"}, nothing, keep))
    assert (name.encode(), value.encode()) in sent[0]["headers"]
    assert set(HEADERS) == {key.decode() for key, _ in sent[0]["headers"]}


def test_nothing_may_come_from_or_go_to_another_host() -> None:
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["content-security-policy"].split(";"))

    assert policy["default-src"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["object-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'self'"
    assert "http" not in HEADERS["content-security-policy"]


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("browser", "gatherUsageStats", False),
        ("client", "showErrorDetails", "none"),
        ("server", "enableXsrfProtection", True),
        ("server", "enableCORS", True),
    ],
)
def test_the_safe_options_are_set(section: str, option: str, value: object) -> None:
    options = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))

    assert options[section][option] == value
