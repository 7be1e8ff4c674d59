"""Which addresses does a host name lead to, and which of them takes a connection first?"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from core.gateway import errors as e
from core.gateway.endpoints import is_forbidden_address

HAPPY_EYEBALLS_S = 0.25
"""How long one address is tried alone before the next is tried beside it."""

Place = tuple[Any, ...]
"""One address as `socket.getaddrinfo` gives it: family, type, protocol, name and where."""


def is_address(host: str) -> bool:
    """Whether a host is an address already, which nobody has to look up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Dialer:
    """Looks names up and connects; belongs to one event loop. The caller bounds the time.

    Every name is looked up by a thread of its own, once for all who wait for it: a name server that says nothing
    about one name holds up no other, however many calls ask for that one.
    """

    def __init__(self) -> None:
        self._lookups: dict[tuple[str, int], asyncio.Future[list[Place]]] = {}

    async def find(self, host: str, port: int, *, is_guarded: bool) -> list[Place]:
        """Addresses of a host. `is_guarded`: BaseUrlError when one of them is forbidden. Raises DnsError."""
        found = _places(host, port) if is_address(host) else await self._look_up(host, port)
        if not found:
            raise e.DnsError("The host name is not known.")
        if is_guarded and any(is_forbidden_address(str(place[4][0])) for place in found):
            raise e.BaseUrlError("base_url: this address belongs to the machine's own network and is not allowed.")
        return found

    async def connect(self, places: Sequence[Place]) -> socket.socket:
        """A connection to the place that takes one first, beginning with the first. Raises OSError when none does."""
        if len(places) == 1:
            return await _connected(places[0])
        waiting, tasks = deque(places), list[asyncio.Task[socket.socket]]()
        running: set[asyncio.Task[socket.socket]] = set()
        winner: asyncio.Task[socket.socket] | None = None
        try:
            while True:
                if waiting:
                    tasks.append(asyncio.create_task(_connected(waiting.popleft())))
                    running.add(tasks[-1])
                pause_s = HAPPY_EYEBALLS_S if waiting else None
                done, running = await asyncio.wait(running, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
                winner = next((task for task in done if task.exception() is None), None)
                if winner is not None or not (waiting or running):
                    return (winner or tasks[-1]).result()
        finally:
            for task in tasks:
                if task is not winner:
                    _drop(task)

    async def _look_up(self, host: str, port: int) -> list[Place]:
        lookup = self._lookups.get((host, port))
        if lookup is None:
            lookup = asyncio.get_running_loop().create_future()
            work = threading.Thread(target=self._ask, args=(lookup, host, port), name="gateway-names", daemon=True)
            work.start()
            self._lookups[host, port] = lookup
        # Whoever gives up waiting takes the answer away from nobody else.
        return await asyncio.shield(lookup)

    def _ask(self, lookup: asyncio.Future[list[Place]], host: str, port: int) -> None:
        """In a thread of its own."""
        found = _places(host, port)
        # A loop that has ended meanwhile wants to know nothing.
        with suppress(RuntimeError):
            lookup.get_loop().call_soon_threadsafe(self._tell, lookup, host, port, found)

    def _tell(self, lookup: asyncio.Future[list[Place]], host: str, port: int, found: list[Place]) -> None:
        del self._lookups[host, port]
        lookup.set_result(found)


def _places(host: str, port: int) -> list[Place]:
    """Nothing for a name that nobody knows."""
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return []


async def _connected(place: Place) -> socket.socket:
    family, kind, protocol, _, where = place
    link = socket.socket(family, kind, protocol)
    try:
        link.setblocking(False)
        await asyncio.get_running_loop().sock_connect(link, where)
    except BaseException:
        link.close()
        raise
    return link


def _drop(task: asyncio.Task[socket.socket]) -> None:
    """Gives a connection up, whether it stands already or not."""
    if not task.cancel() and not task.cancelled() and task.exception() is None:
        task.result().close()
