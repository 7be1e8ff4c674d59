"""Does a name that cannot be looked up, or an address that does not answer, stand in nobody else's way?"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.gateway import ChatRequest, Endpoint, Gateway, GatewayError, Policy, Target
from core.gateway.dial import Dialer, Place
from core.gateway.errors import BaseUrlError, DnsError
from tests.conftest import in_a_loop
from tests.faults.upstream import HostileUpstream

ASK = ChatRequest(messages=[{"role": "user", "content": "Are you well?"}])
Lookups = list[str]


def place(host: str, port: int) -> Place:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    """Until it is set, the name server says nothing about a name that begins with silent."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch, silence: threading.Event) -> Lookups:
    """The names that were looked up. One that begins with two leads to a dead address first, then to this machine."""
    found: Lookups = []
    real: Callable[..., Any] = socket.getaddrinfo

    def look_up(host: str, port: int, *args: Any, **more: Any) -> Any:
        found.append(host)
        if host.startswith("silent"):
            silence.wait(10)
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        if host.startswith("two"):
            return [place("127.0.0.2", port), place("127.0.0.1", port)]
        return real(host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return found


def named(server: HostileUpstream, host: str, **more: Any) -> Endpoint:
    """An endpoint at the good script of the server, by another name."""
    return Endpoint(name=host, base_url=server.url("good").replace("127.0.0.1", host), **more)


def ask(gateway: Gateway, host: str) -> str:
    try:
        return gateway.chat(ASK, [Target(endpoint=host, model="m")]).outcome
    except GatewayError as error:
        return error.kind


def test_a_name_server_that_is_silent_about_one_name_holds_up_no_other(lookups: Lookups) -> None:
    policy = Policy(connect_timeout_s=1, max_attempts=1)
    with (
        HostileUpstream() as server,
        Gateway([named(server, "silent.test"), named(server, "localhost")], policy=policy) as gateway,
        ThreadPoolExecutor(20) as pool,
    ):
        silent = [pool.submit(ask, gateway, "silent.test") for _ in range(20)]
        time.sleep(0.2)
        began = time.monotonic()
        assert ask(gateway, "localhost") == "ok"
        seconds = time.monotonic() - began

        assert {one.result() for one in silent} == {"connect_timeout"}
    assert seconds < 0.5
    assert lookups.count("silent.test") == 1


@pytest.mark.parametrize("is_user_typed", [False, True])
def test_a_name_with_a_dead_address_is_reached_by_its_other_one(lookups: Lookups, is_user_typed: bool) -> None:
    with (
        HostileUpstream() as server,
        Gateway([named(server, "two.test", is_user_typed=is_user_typed)], policy=Policy(max_attempts=1)) as gateway,
    ):
        assert ask(gateway, "two.test") == "ok"
        steps = {step.name: step.status for step in gateway.check("two.test", "m").steps}

    assert (steps["dns"], steps["tcp"], steps["call"]) == ("ok", "ok", "ok")


def test_an_address_that_says_nothing_is_not_waited_for() -> None:
    with socket.socket() as full, socket.create_server(("127.0.0.1", 0)) as good:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        places = [place(*full.getsockname()), place(*good.getsockname())]
        began = time.monotonic()
        with in_a_loop(Dialer().connect(places)) as link:
            assert link.getpeername() == good.getsockname()
        for one in waiting:
            one.close()

    assert time.monotonic() - began < 1


def test_no_address_that_answers_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        in_a_loop(Dialer().connect([place("127.0.0.1", port)] * 3))


@pytest.mark.parametrize(("hosts", "error"), [([], DnsError), (["10.0.0.5", "169.254.169.254"], BaseUrlError)])
def test_a_name_that_leads_nowhere_or_where_it_must_not_is_refused(
    monkeypatch: pytest.MonkeyPatch, hosts: list[str], error: type[GatewayError]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [place(host, 80) for host in hosts])
    with pytest.raises(error):
        in_a_loop(Dialer().find("a.test", 80, is_guarded=True))


def test_who_gives_up_waiting_for_a_name_takes_it_from_nobody(lookups: Lookups, silence: threading.Event) -> None:
    async def scenario() -> list[str]:
        dialer = Dialer()
        waiting = [asyncio.create_task(dialer.find("silent.test", 80, is_guarded=False)) for _ in range(3)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
        await asyncio.sleep(0.05)
        silence.set()
        return [type(one).__name__ for one in await asyncio.gather(*waiting, return_exceptions=True)]

    assert in_a_loop(scenario()) == ["CancelledError", "DnsError", "DnsError"]
    assert lookups == ["silent.test"]
