"""What does the gateway cost against bare pooled httpx, and how fast does it leave a primary that hangs?"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from core.gateway import ChatRequest, Endpoint, Gateway, Message, Policy, Target
from tests.bench import Row, interleaved, litellm_median_s
from tests.conftest import PROJECT
from tests.e2e.conftest import free_port

CALLS_A_ROUND, ROUNDS = 100, 7
THREADS, CALLS_A_THREAD = 50, 20
LIMITS = httpx.Limits(max_connections=THREADS, max_keepalive_connections=THREADS)
AFTER_FIRST, HANG_LIMIT_S = 20, 0.15
FRESH_RUNS = 7
FRESH = """
import resource, sys, time
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
print(seconds, int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize())
"""
LITELLM = """
import statistics, sys, time
import litellm
from litellm import Router
litellm.suppress_debug_info = True
router = Router(model_list=[{{"model_name": "m", "litellm_params":
    {{"model": "openai/m", "api_base": "{base}", "api_key": "k"}}}}])
times = []
for number in range(60):
    start = time.perf_counter()
    router.completion(model="m", messages=[{{"role": "user", "content": "hi"}}])
    times.append(time.perf_counter() - start)
print(statistics.median(times[10:]))
"""


@contextmanager
def upstream() -> Iterator[int]:
    """The healthy upstream in a second process; gives its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.upstream", str(port)], cwd=PROJECT)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def rows() -> list[Row]:
    """One call, fifty threads, a hanging primary, import time and memory."""
    with upstream() as port:
        base = f"http://127.0.0.1:{port}/v1"
        endpoint = Endpoint(name="one", base_url=base, api_key="k")
        with Gateway([endpoint]) as gateway, httpx.Client(trust_env=False, limits=LIMITS) as client:
            ask, raw = _ours(gateway), _raw(client, base)
            found = [*_sequential(ask, raw, base), _threaded(ask, raw)]
            found += _litellm(ask, base)
        found.append(_hanging(port))
    return [*found, *_fresh()]


def _ours(gateway: Gateway) -> Callable[[str], str]:
    targets = [Target(endpoint="one", model="m-1")]

    def ask(prompt: str) -> str:
        return gateway.chat(ChatRequest(messages=[Message(role="user", content=prompt)]), targets).text

    return ask


def _raw(client: httpx.Client, base: str) -> Callable[[str], str]:
    def ask(prompt: str) -> str:
        body = {"model": "m-1", "messages": [{"role": "user", "content": prompt}]}
        answer = client.post(f"{base}/chat/completions", json=body, headers={"authorization": "Bearer k"})
        text: str = answer.json()["choices"][0]["message"]["content"]
        return text

    return ask


def _sequential(ask: Callable[[str], str], raw: Callable[[str], str], base: str) -> list[Row]:
    """The median call of rounds that take turns."""
    with _other_thread(base) as other:
        sides: dict[str, Callable[[str], str]] = {"ours": ask, "bare": raw, "loop": other}
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(ROUNDS + 1):
            for name, one in sides.items():
                found = [_seconds(one) for _ in range(CALLS_A_ROUND)]
                if turn:  # the first round warms all up
                    seconds[name] += found
    ours, bare, loop = (statistics.median(seconds[name]) * 1e3 for name in sides)
    what = "one call, p50"
    return [
        Row(what=what, ours=ours, peer=bare, unit="ms", goal=1.7, note="peer: bare pooled httpx"),
        Row(what=what, ours=ours, peer=loop, unit="ms", goal=1.0, note="peer: bare httpx.AsyncClient in a loop thread"),
    ]


@contextmanager
def _other_thread(base: str) -> Iterator[Callable[[str], str]]:
    """The least that can be cancelled and bounded in total: an asynchronous client on a loop in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    client = httpx.AsyncClient(trust_env=False)

    async def call(prompt: str) -> str:
        async with asyncio.timeout(60):
            body = {"model": "m-1", "messages": [{"role": "user", "content": prompt}]}
            answer = await client.post(f"{base}/chat/completions", json=body, headers={"authorization": "Bearer k"})
            text: str = answer.json()["choices"][0]["message"]["content"]
            return text

    try:
        yield lambda prompt: asyncio.run_coroutine_threadsafe(call(prompt), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(client.aclose(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _seconds(one: Callable[[str], str]) -> float:
    start = time.perf_counter()
    one("hi")
    return time.perf_counter() - start


def _threaded(ask: Callable[[str], str], raw: Callable[[str], str]) -> Row:
    """Calls per second of fifty threads; each checks that the answer is the one to its own prompt."""

    def together(one: Callable[[str], str]) -> Callable[[], None]:
        wrong: list[str] = []

        def work(number: int) -> None:
            for turn in range(CALLS_A_THREAD):
                prompt = f"thread {number} turn {turn}"
                if one(prompt) != prompt:
                    wrong.append(prompt)

        def run() -> None:
            threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if wrong:
                raise AssertionError(f"{len(wrong)} answers belong to another thread, such as {wrong[0]}.")

        return run

    found = interleaved({"ours": together(ask), "peer": together(raw)}, rounds=7, warmups=1)
    count = THREADS * CALLS_A_THREAD
    return Row(what=f"{THREADS} threads, one client: calls/s", ours=count / found["ours"], peer=count / found["peer"],
               unit="1/s", goal=0.7, higher_is_better=True, note="peer: bare httpx with threads")  # fmt: skip


def _hanging(port: int) -> Row:
    policy = Policy(first_token_timeout_s=1.0)
    endpoints = [
        Endpoint(name="hangs", base_url=f"http://127.0.0.1:{port}/hang/v1", api_key="k"),
        Endpoint(name="good", base_url=f"http://127.0.0.1:{port}/v1", api_key="other"),
    ]
    targets = [Target(endpoint="hangs", model="m-1"), Target(endpoint="good", model="m-1")]
    times = []
    with Gateway(endpoints, policy=policy) as gateway:
        for _ in range(AFTER_FIRST + 1):
            start = time.perf_counter()
            gateway.chat(ChatRequest(messages=[Message(role="user", content="hi")]), targets)
            times.append(time.perf_counter() - start)
    return Row(what=f"primary hangs: mean of the {AFTER_FIRST} calls after the first", ours=statistics.mean(times[1:]),
               peer=HANG_LIMIT_S, unit="s", goal=1.0, note="peer: the limit of 0.15 s")  # fmt: skip


def _fresh() -> list[Row]:
    """Import time and resident memory in fresh interpreters, in turn."""
    found: dict[str, list[tuple[float, float]]] = {"core.gateway": [], "httpx": []}
    with tempfile.TemporaryDirectory() as folder:
        # Compiled once, as after any first start; a library comes compiled.
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = folder
        for _ in range(FRESH_RUNS):
            for module, seen in found.items():
                code = FRESH.format(module=module)
                run = subprocess.run(
                    [sys.executable, "-c", code], cwd=PROJECT, env=env, capture_output=True, text=True, check=True
                )
                seconds, size = run.stdout.split()
                seen.append((float(seconds), float(size)))
    ours, peer = ([statistics.median(column) for column in zip(*found[name], strict=True)] for name in found)
    note = "peer: httpx alone, fresh interpreters"
    return [
        Row(what="import time", ours=ours[0] * 1e3, peer=peer[0] * 1e3, unit="ms", goal=1.5, note=note),
        Row(what="resident memory", ours=ours[1] / 1e6, peer=peer[1] / 1e6, unit="MB", goal=1.3, note=note),
    ]


def _litellm(ask: Callable[[str], str], base: str) -> list[Row]:
    peer = litellm_median_s(LITELLM.format(base=base))
    if peer is None:
        return []
    times = []
    for _ in range(60):
        start = time.perf_counter()
        ask("hi")
        times.append(time.perf_counter() - start)
    return [Row(what="one call against litellm.Router", ours=statistics.median(times[10:]) * 1e3, peer=peer * 1e3,
                unit="ms", goal=0.25, note="peer: litellm.Router")]  # fmt: skip
