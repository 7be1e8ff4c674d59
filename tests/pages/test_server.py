"""The web server sends what a rerun says at once."""

from __future__ import annotations

import socket

from pages.parts.server import send_at_once


def test_what_a_listening_socket_accepts_does_not_wait_for_acknowledgements() -> None:
    # Made as Streamlit makes its own: without naming the protocol, so that asyncio leaves it alone.
    with socket.socket(socket.AF_INET) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        send_at_once()

        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
