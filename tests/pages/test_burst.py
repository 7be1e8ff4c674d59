"""What a short rerun sends leaves together and in order; what a long one sends later does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.parts.burst import FIRST_HOLD_S, HOLD_S, OneBurst
from tests.conftest import in_a_loop

Script = Callable[[Send, list[Message]], Awaitable[None]]


def frame(kind: str) -> Message:
    """One of Streamlit's messages as it travels."""
    message = ForwardMsg()
    if kind == "script_finished":
        message.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    elif kind == "new_session":
        message.new_session.name = "app"
    else:
        message.delta.new_element.markdown.body = kind
    return {"type": "websocket.send", "bytes": message.SerializeToString()}


def sent_by(script: Script, *, is_broken: bool = False) -> list[Message]:
    """What reaches the browser of an application that behaves as `script`; the script sees it grow."""
    arrived: list[Message] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await script(send, arrived)

    async def keep(message: Message) -> None:
        if is_broken:
            raise OSError("the connection is gone")
        await asyncio.sleep(0)
        arrived.append(message)

    async def nothing() -> Message:
        return {"type": "websocket.disconnect"}

    in_a_loop(OneBurst(application)({"type": "websocket"}, nothing, keep))
    return arrived


RUN = [frame(kind) for kind in ("new_session", "one", "two", "script_finished")]


def test_a_run_leaves_when_it_has_ended_and_in_its_order() -> None:
    async def script(send: Send, arrived: list[Message]) -> None:
        for message in RUN[:-1]:
            await send(message)
        assert arrived == []
        await send(RUN[-1])
        assert arrived == RUN

    assert sent_by(script) == RUN


@pytest.mark.parametrize(("before", "hold_s"), [([], FIRST_HOLD_S), (RUN, HOLD_S)])
def test_a_long_run_is_shown_after_a_moment_and_then_as_it_comes(before: list[Message], hold_s: float) -> None:
    async def script(send: Send, arrived: list[Message]) -> None:
        for message in [*before, *RUN[:2]]:
            await send(message)
        await asyncio.sleep(hold_s / 2)
        assert arrived == before
        await asyncio.sleep(hold_s)
        assert arrived == [*before, *RUN[:2]]
        await send(RUN[2])
        assert arrived == [*before, *RUN[:3]]
        await send(RUN[3])

    assert sent_by(script) == [*before, *RUN]


def test_what_comes_while_the_held_ones_leave_keeps_its_place() -> None:
    many = [frame(str(number)) for number in range(50)]

    async def script(send: Send, arrived: list[Message]) -> None:
        await send(RUN[0])
        for message in many[:25]:
            await send(message)
        await asyncio.sleep(FIRST_HOLD_S + 0.001)
        await asyncio.gather(*(send(message) for message in many[25:]))

    assert sent_by(script) == [RUN[0], *many]


def test_outside_a_run_and_at_its_end_nothing_waits() -> None:
    async def script(send: Send, arrived: list[Message]) -> None:
        await send({"type": "websocket.accept"})
        await send(frame("alone"))
        assert len(arrived) == 2
        await send(RUN[0])
        await send({"type": "websocket.close"})

    assert [message["type"] for message in sent_by(script)] == [
        "websocket.accept", "websocket.send", "websocket.send", "websocket.close",
    ]  # fmt: skip


def test_bytes_that_are_no_message_pass() -> None:
    odd: Message = {"type": "websocket.send", "bytes": b"\xff\xff"}

    async def script(send: Send, arrived: list[Message]) -> None:
        await send(odd)

    assert sent_by(script) == [odd]


def test_a_connection_that_broke_meanwhile_is_not_an_error_of_its_own() -> None:
    async def script(send: Send, arrived: list[Message]) -> None:
        await send(RUN[0])
        await asyncio.sleep(FIRST_HOLD_S * 2)

    assert sent_by(script, is_broken=True) == []
