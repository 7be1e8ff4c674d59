"""Where on its way to an answer does an endpoint stop: DNS, TCP, TLS, the key, the list of models, or a short call?"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from core.gateway import errors as e
from core.gateway.call import Call
from core.gateway.chat import ChatRequest, Message
from core.gateway.desk import Desk
from core.gateway.dial import Dialer, Place, is_address
from core.gateway.endpoints import Endpoint, Target
from core.gateway.listing import list_models
from core.gateway.wire import TLS_FAILED

StepName = Literal["dns", "tcp", "tls", "auth", "models", "call"]
StepStatus = Literal["ok", "failed", "skipped", "not_needed"]
STEPS: tuple[StepName, ...] = ("dns", "tcp", "tls", "auth", "models", "call")

PROBE = "Say yes."
# Some models think before their first word and give none within a smaller limit.
PROBE_TOKENS = 64
CALL_LIMIT_S = 15.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `seconds` it took (None when it was not taken), and the `error` it failed with."""

    name: StepName
    status: StepStatus
    seconds: float | None = None
    error: e.GatewayError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """All steps in order, and the models the endpoint lists (None when it does not say)."""

    endpoint: str
    steps: tuple[Step, ...]
    models: tuple[str, ...] | None

    @property
    def is_working(self) -> bool:
        """Whether the short call was answered; some endpoints work and do not list their models."""
        return self.steps[-1].status == "ok"

    @property
    def stop(self) -> Step | None:
        """The step that keeps the endpoint from working, None when it works."""
        return None if self.is_working else next((step for step in self.steps if step.error is not None), None)


Tell = Callable[[Step], object]


class _Walk:
    """The steps taken so far, all within `limit_s`; `tell` hears of each, of some again when more is known."""

    def __init__(self, limit_s: float, tell: Tell) -> None:
        self._tell = tell
        self.taken: dict[StepName, Step] = {}
        self._until = time.monotonic() + limit_s

    async def take(self, name: StepName, work: Awaitable[T], limit_s: float, late: e.GatewayError) -> T | None:
        """The step's result, or None when it failed; `late` is the error for one that takes too long."""
        start = time.monotonic()
        error: e.GatewayError | None = None
        found: T | None = None
        try:
            async with asyncio.timeout(max(0.0, min(limit_s, self._until - start))):
                found = await work
        except TimeoutError:
            error = late
        except e.GatewayError as fault:
            error = fault.bare()
        self.note(name, "failed" if error else "ok", time.monotonic() - start, error)
        return found

    def note(
        self, name: StepName, status: StepStatus, seconds: float | None = None, error: e.GatewayError | None = None
    ) -> None:
        self.taken[name] = Step(name=name, status=status, seconds=seconds, error=error)
        self._tell(self.taken[name])

    def is_ok(self, name: StepName) -> bool:
        return self.taken[name].status in {"ok", "not_needed"}


async def check(desk: Desk, endpoint_name: str, model: str, tell: Tell) -> CheckResult:
    """Walks the steps until one fails. Raises UnknownEndpointError for a name the gateway does not have."""
    endpoint = desk.router.endpoint(endpoint_name)
    walk = _Walk(desk.policy.deadline_s, tell)
    models: list[str] | None = None
    if await _is_reached(walk, desk, endpoint):
        models = await _list(walk, desk, endpoint_name)
        if walk.taken["auth"].status != "failed":
            await _call(walk, desk, endpoint_name, model)
    steps = tuple(walk.taken.get(name, Step(name=name, status="skipped")) for name in STEPS)
    return CheckResult(endpoint=endpoint_name, steps=steps, models=None if models is None else tuple(models))


async def _is_reached(walk: _Walk, desk: Desk, endpoint: Endpoint) -> bool:
    """DNS, TCP and TLS. Through a proxy they are the proxy's work, and the steps are left out."""
    if desk.http.trust_env:
        return True
    parts = urlsplit(endpoint.base_url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    limit_s, dialer = desk.policy.connect_timeout_s, desk.http.dialer
    late = e.DnsError("The name server did not answer in time.")
    places = await walk.take("dns", dialer.find(host, port, is_guarded=endpoint.is_user_typed), limit_s, late)
    if places is None:
        return False
    if is_address(host):
        walk.note("dns", "not_needed")
    slow = e.ConnectTimeoutError("No connection came about in time.")
    await walk.take("tcp", _connect(dialer, places, None, ""), limit_s, slow)
    if walk.is_ok("tcp") and parts.scheme == "https":
        await walk.take("tls", _connect(dialer, places, desk.http.ssl_context(), host), limit_s, slow)
    elif walk.is_ok("tcp"):
        walk.note("tls", "not_needed")
    return walk.is_ok("tcp") and walk.is_ok("tls")


async def _list(walk: _Walk, desk: Desk, endpoint_name: str) -> list[str] | None:
    late = e.HeadersTimeoutError("The upstream did not list its models in time.")
    models = await walk.take("models", list_models(desk, endpoint_name), desk.policy.headers_timeout_s, late)
    listing = walk.taken["models"]
    if isinstance(listing.error, e.CredentialError):
        walk.note("auth", "failed", listing.seconds, listing.error)
        walk.note("models", "skipped")
    elif listing.error is not None and listing.error.status_code is None:
        # It was not read, or not answered at all: nothing is known about the key yet.
        walk.note("auth", "skipped")
    else:
        walk.note("auth", "ok", listing.seconds)
    return models


async def _call(walk: _Walk, desk: Desk, endpoint_name: str, model: str) -> None:
    """One short call of one attempt; some sellers list their models to anybody, so only this proves the key."""
    limit_s = min(desk.policy.deadline_s, CALL_LIMIT_S)
    once = replace(desk, policy=replace(desk.policy, max_attempts=1, deadline_s=limit_s))
    request = ChatRequest(messages=[Message(role="user", content=PROBE)], max_output_tokens=PROBE_TOKENS)
    call = Call(desk=once, request=request, targets=[Target(endpoint=endpoint_name, model=model)])
    await walk.take("call", call.run(), limit_s + 1, e.DeadlineError("The short call took too long."))
    answer = walk.taken["call"]
    if isinstance(answer.error, e.CredentialError):
        walk.note("auth", "failed", answer.seconds, answer.error)
        walk.note("call", "skipped")
    elif isinstance(answer.error, e.DeadlineError):
        # One call, one attempt: its limit is how long an answer may take, not how long several may.
        late = e.FirstTokenTimeoutError(f"No answer came within {limit_s:g} seconds.", endpoint=endpoint_name)
        walk.note("call", "failed", answer.seconds, late)
    elif answer.error is None:
        walk.note("auth", "ok", walk.taken["auth"].seconds)


async def _connect(dialer: Dialer, places: Sequence[Place], context: ssl.SSLContext | None, host: str) -> None:
    fault: e.GatewayError
    try:
        _, writer = await asyncio.open_connection(
            sock=await dialer.connect(places), ssl=context, server_hostname=host if context is not None else None
        )
        writer.close()
        await writer.wait_closed()
        return
    except ssl.SSLError:
        fault = e.TlsError(TLS_FAILED)
    except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
        fault = e.ConnectError("The connection broke.") if context is None else e.TlsInterruptedError(TLS_FAILED)
    except OSError:
        fault = e.ConnectError("The connection was refused.")
    raise fault
