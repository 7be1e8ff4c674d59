"""A server written by others (aimock, from npm) is understood in three dialects, whole and streamed, good and bad."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.gateway import ChatRequest, DoneEvent, Endpoint, FailedEvent, Gateway, GatewayError, Policy, Target, TextEvent
from core.gateway.errors import AuthError, ModelNotFoundError, RateLimitError
from tests.faults.upstream import KEY

PACKAGE = "@copilotkit/aimock"
VERSION = "1.43.0"
INSTALL_TIMEOUT_S = 40
START_TIMEOUT_S = 10.0

WRONG_KEY = "sk-wrong-0123456789abcdef"  # invented for this test
TEXT = "All is well.\n\n| a | b |\n|---|---|\n모두 좋습니다 \u2028 ✓"
FIXTURES = [
    {"match": {"userMessage": "Are you well?"}, "response": {"content": TEXT}},
    {
        "match": {"userMessage": "Too often."},
        "response": {"error": {"message": "Rate limit reached", "type": "rate_limit_error"}, "status": 429},
    },
    {
        "match": {"userMessage": "Stop in the middle."},
        "response": {"content": "One, two, three, four, five, six, seven, eight."},
        "chunkSize": 5,
        "truncateAfterChunks": 6,
        # Without a pause the break overtakes the first pieces on their way out.
        "latency": 60,
    },
]
MODELS = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}
POLICY = Policy(deadline_s=10, max_attempts=1)

dialects = pytest.mark.parametrize("dialect", list(MODELS))


@pytest.fixture(scope="session")
def command_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's start file, installed for this run of the tests; without node or npm the tests say so."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip(f"node and npm are not installed, so the gateway was not tried against {PACKAGE}")
    folder = tmp_path_factory.mktemp("aimock")
    install = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            [*install, f"{PACKAGE}@{VERSION}"], capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install {PACKAGE} within {INSTALL_TIMEOUT_S} s, so the gateway was not tried on it")
    if done.returncode != 0:
        pytest.skip(f"npm could not install {PACKAGE}, so the gateway was not tried on it: {done.stderr[-300:]}")
    return folder / "node_modules" / PACKAGE / "dist" / "cli.js"


@pytest.fixture(scope="module")
def server(command_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running server, which knows one key."""
    fixtures = tmp_path_factory.mktemp("fixtures") / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": FIXTURES}), encoding="utf-8")
    command = ["node", str(command_file), "-p", "0", "-h", "127.0.0.1", "-f", str(fixtures)]
    process = subprocess.Popen(
        command, env={**os.environ, "AIMOCK_API_KEYS": KEY}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        yield _address(lines)
    finally:
        process.terminate()
        process.wait(timeout=10)
        reader.join(5)
        assert process.stdout is not None
        process.stdout.close()


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)


def _address(lines: queue.SimpleQueue[str]) -> str:
    until, said = time.monotonic() + START_TIMEOUT_S, ""
    while (left := until - time.monotonic()) > 0:
        try:
            said += lines.get(timeout=left)
        except queue.Empty:
            break
        if found := re.search(r"http://127\.0\.0\.1:\d+", said):
            return found[0]
    raise RuntimeError(f"{PACKAGE} did not say where it listens:\n{said}")


def gateway(server: str, *, key: str = KEY) -> Gateway:
    """A gateway with one endpoint per dialect, named as the dialect is."""
    endpoints = [
        Endpoint(name=name, base_url=server + ("" if name == "gemini" else "/v1"), api_key=key, dialect=name)
        for name in MODELS
    ]
    return Gateway(endpoints, policy=POLICY)


def target(dialect: str) -> Target:
    return Target(endpoint=dialect, model=MODELS[dialect])


def ask(text: str) -> ChatRequest:
    return ChatRequest(messages=[{"role": "user", "content": text}], max_output_tokens=50)


@dialects
def test_a_whole_answer_is_read(server: str, dialect: str) -> None:
    with gateway(server) as one:
        reply = one.chat(ask("Are you well?"), [target(dialect)])

    assert (reply.outcome, reply.text, reply.finish_reason) == ("ok", TEXT, "stop")
    if dialect == "openai":
        assert reply.usage is not None
        assert (reply.usage.input_tokens, reply.usage.source, reply.model_reported) == (4, "provider", "gpt-4.1")
    else:
        # It reports 0 tokens there, and an answer of no tokens is not believed.
        assert reply.usage is None


@dialects
def test_a_stream_is_read_piece_by_piece(server: str, dialect: str) -> None:
    with gateway(server) as one, one.stream(ask("Are you well?"), [target(dialect)]) as events:
        seen = list(events)

    pieces = [event.text for event in seen if isinstance(event, TextEvent)]
    assert len(pieces) > 1
    assert "".join(pieces) == TEXT
    last = seen[-1]
    assert isinstance(last, DoneEvent)
    assert (last.reply.outcome, last.reply.text, last.reply.finish_reason) == ("ok", TEXT, "stop")


@dialects
def test_a_stream_cut_in_the_middle_is_partial(server: str, dialect: str) -> None:
    with gateway(server) as one, one.stream(ask("Stop in the middle."), [target(dialect)]) as events:
        last = list(events)[-1]

    assert isinstance(last, DoneEvent)
    assert last.reply.outcome == "partial"
    assert last.reply.error is not None
    assert last.reply.text.startswith("One,")
    assert "eight" not in last.reply.text


@dialects
@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("text", "expected", "status"), [("Too often.", RateLimitError, 429), ("Nobody knows.", ModelNotFoundError, 404)]
)
def test_a_refusal_is_typed(
    server: str, dialect: str, is_streamed: bool, text: str, expected: type[GatewayError], status: int
) -> None:
    error = refused(gateway(server), dialect, text, is_streamed=is_streamed)

    assert isinstance(error, expected)
    assert error.status_code == status
    if status == 429:
        assert error.retry_after_s == 1.0


@dialects
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_wrong_key_is_said_to_be_wrong_and_not_repeated(server: str, dialect: str, is_streamed: bool) -> None:
    error = refused(gateway(server, key=WRONG_KEY), dialect, "Are you well?", is_streamed=is_streamed)

    assert isinstance(error, AuthError)
    assert WRONG_KEY not in f"{error} {error!r} {error.upstream_text} {error.attempts!r}"


def refused(one: Gateway, dialect: str, text: str, *, is_streamed: bool) -> GatewayError:
    """The error a call ends with."""
    with one:
        if is_streamed:
            with one.stream(ask(text), [target(dialect)]) as events:
                last = list(events)[-1]
            assert isinstance(last, FailedEvent)
            return last.error
        with pytest.raises(GatewayError) as caught:
            one.chat(ask(text), [target(dialect)])
        return caught.value


def test_the_next_target_answers_for_one_that_refuses(server: str) -> None:
    with gateway(server) as one, gateway(server, key=WRONG_KEY) as other:
        mixed = [*other.endpoints[:1], *one.endpoints[1:]]
    with Gateway(mixed, policy=Policy(deadline_s=10)) as both:
        reply = both.chat(ask("Are you well?"), [target("openai"), target("anthropic")])

    assert [attempt.error_kind for attempt in reply.attempts] == ["auth", ""]
    assert (reply.endpoint, reply.text) == ("anthropic", TEXT)


def test_the_walk_reaches_the_answer(server: str) -> None:
    with gateway(server) as one:
        asked = one.check("openai", MODELS["openai"])
    with gateway(server, key=WRONG_KEY) as other:
        refused = other.check("anthropic", MODELS["anthropic"])

    # The walk's own question is in nobody's fixtures: the key was taken and the call was turned down.
    assert asked.models is not None
    assert "gpt-4o" in asked.models
    assert asked.stop is not None
    assert asked.stop.name == "call"
    assert refused.stop is not None
    assert refused.stop.name == "auth"
