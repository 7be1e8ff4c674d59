"""Every fault of an upstream ends within the deadline in the outcome that the table of cases names."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from core.gateway import (
    Attempt,
    CallRecord,
    ChatRequest,
    DoneEvent,
    Endpoint,
    FailedEvent,
    Gateway,
    GatewayError,
    Policy,
    ReasoningEvent,
    Reply,
    Target,
    TextEvent,
    Usage,
)
from tests.faults.case import Case
from tests.faults.cases import CASES
from tests.faults.upstream import GOOD_TEXT, KEY, HostileUpstream

DEADLINE_S = 6.0
POLICY = Policy(
    deadline_s=DEADLINE_S, connect_timeout_s=0.4, headers_timeout_s=0.9, first_token_timeout_s=1.0,
    reasoning_first_token_timeout_s=1.0, idle_timeout_s=0.6, tail_timeout_s=0.2, max_body_bytes=256 * 1024,
    max_event_bytes=32 * 1024, backoff_base_s=0.01,
)  # fmt: skip
ASK = ChatRequest(messages=[{"role": "user", "content": "Are you well?"}])
OTHER_KEY = "sk-other-9876543210fedcba"


def price(_endpoint: Endpoint, _model: str, usage: Usage, _at: object) -> int:
    """What a careless callback says: half of a usage as if it were the whole."""
    return ((usage.input_tokens or 0) + (usage.output_tokens or 0)) * 1_000


@pytest.fixture(scope="module")
def upstream() -> Iterator[HostileUpstream]:
    with HostileUpstream({case.name: case.script for case in CASES}) as server:
        yield server


class Told:
    """What one call told its caller and its callbacks."""

    def __init__(self, upstream: HostileUpstream, case: Case) -> None:
        self.attempts: list[Attempt] = []
        self.calls: list[CallRecord] = []
        self.shown: list[str] = []
        self.thought: list[str] = []
        self.reply: Reply | None = None
        self.error: GatewayError | None = None
        bad = upstream.url(case.name)
        if case.dialect == "gemini":
            bad = bad.removesuffix("/v1")
        self.gateway = Gateway(
            [
                Endpoint(name="bad", base_url=bad, api_key=KEY, dialect=case.dialect),
                Endpoint(name="good", base_url=upstream.url("good"), api_key=OTHER_KEY),
            ],
            policy=POLICY, price=price, on_attempt=self.attempts.append, on_call=self.calls.append,
        )  # fmt: skip

    def ask(self, *, streamed: bool) -> None:
        targets = [Target(endpoint="bad", model="m-1"), Target(endpoint="good", model="m-1")]
        if not streamed:
            try:
                self.reply = self.gateway.chat(ASK, targets)
            except GatewayError as error:
                self.error = error
            return
        with self.gateway.stream(ASK, targets) as events:
            for event in events:
                assert self.reply is None, "nothing follows the end"
                assert self.error is None, "nothing follows the end"
                if isinstance(event, TextEvent):
                    self.shown.append(event.text)
                elif isinstance(event, ReasoningEvent):
                    self.thought.append(event.text)
                elif isinstance(event, DoneEvent):
                    self.reply = event.reply
                elif isinstance(event, FailedEvent):
                    self.error = event.error

    def everything(self) -> str:
        """All that could be shown, logged or stored."""
        errors = [one.error for one in self.attempts] + [self.error]
        texts = [f"{one!r} {one} {one.__dict__ if one else ''}" for one in errors]
        return " ".join([repr(self.attempts), repr(self.calls), repr(self.reply), *self.shown, *self.thought, *texts])


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("case", "streamed"),
    [
        pytest.param(case, streamed, id=f"{case.name}-{'stream' if streamed else 'whole'}")
        for case in CASES
        for streamed in case.streamed
    ],
)
def test_a_fault_ends_as_it_should(upstream: HostileUpstream, case: Case, streamed: bool) -> None:
    told = Told(upstream, case)
    with told.gateway:
        began = time.monotonic()
        told.ask(streamed=streamed)
        seconds = time.monotonic() - began

    assert seconds < DEADLINE_S + 1
    assert KEY not in told.everything()
    assert KEY[:12] not in told.everything()
    first = told.attempts[0]
    assert len(told.calls) == 1
    assert list(told.calls[0].attempts) == told.attempts
    _check_outcome(case, told, first)
    _check_facts(case, told, first, streamed)


def _check_outcome(case: Case, told: Told, first: Attempt) -> None:
    if case.then == "next":
        assert told.reply is not None
        assert (told.reply.endpoint, told.reply.text, told.reply.outcome) == ("good", GOOD_TEXT, "ok")
        assert [one.outcome for one in told.attempts] == ["error", "ok"]
        assert not case.kinds or first.error_kind in case.kinds
    elif case.then == "stop":
        assert told.error is not None
        assert told.error.kind in case.kinds
        assert [one.endpoint for one in told.error.attempts] == ["bad"]
    else:
        assert told.reply is not None
        assert told.reply.endpoint == "bad"
        assert told.reply.outcome == case.then
        assert case.text is None or told.reply.text == case.text
        if case.then == "partial":
            assert told.reply.error is not None
            assert told.reply.error.kind in case.kinds
            assert [one.outcome for one in told.attempts] == ["partial"]


def _check_facts(case: Case, told: Told, first: Attempt, streamed: bool) -> None:
    if streamed and told.reply is not None:
        assert "".join(told.shown) == told.reply.text
    if case.group == "retry-after":
        assert first.error is not None
        # An HTTP date has no fractions.
        assert first.error.retry_after_s == pytest.approx(case.retry_after_s, abs=0.01)
    if case.is_usage_unknown:
        assert first.usage is None
        assert first.pico_usd is None
        assert first.is_lower_bound
    if case.is_lower_bound is not None:
        assert first.is_lower_bound is case.is_lower_bound
    if case.reasoning is not None:
        assert told.reply is not None
        assert told.reply.reasoning == case.reasoning
        assert not streamed or "".join(told.thought) == case.reasoning
    for name, wanted in (case.usage or {}).items():
        assert first.usage is not None
        assert getattr(first.usage, name) == wanted
