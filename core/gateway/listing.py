"""Which models does an endpoint offer?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from core.gateway import errors as e
from core.gateway.classify import error_body, error_type
from core.gateway.desk import Desk
from core.gateway.dialects import DIALECTS
from core.gateway.dialects.shape import load
from core.gateway.hearing import embedded_error

MAX_MODELS = 5_000


async def list_models(desk: Desk, endpoint_name: str) -> list[str]:
    """Sorted names, of which no seller has more than `MAX_MODELS`. Raises UnknownEndpointError, or what the request
    itself met with, within the headers limit.
    """
    endpoint = desk.router.endpoint(endpoint_name)
    dialect = DIALECTS[endpoint.dialect]
    late: e.GatewayError
    try:
        async with asyncio.timeout(min(desk.policy.deadline_s, desk.policy.headers_timeout_s)):
            response = await desk.http.send("GET", dialect.models_call(endpoint), is_guarded=endpoint.is_user_typed)
            is_sound = False
            try:
                async with aclosing(response.pieces(desk.policy.max_body_bytes)) as pieces:
                    body = b"".join([piece async for piece in pieces])
                names = _names(desk, dialect.read_models, response.status_code, body)
                is_sound = True
            finally:
                await response.close(is_sound=is_sound)
        return sorted(set(names))
    except TimeoutError:
        late = e.HeadersTimeoutError("The upstream did not list its models in time.", endpoint=endpoint_name)
    except e.GatewayError as error:
        error.endpoint = endpoint_name
        raise
    raise late


def _names(desk: Desk, read: Callable[[object], list[str]], status_code: int, body: bytes) -> list[str]:
    if 200 <= status_code < 300:
        data = load(body)
        if isinstance(data, dict) and data.get("error"):
            raise embedded_error(data, desk.router.redactor)
        return [desk.router.redactor.hide(name) for name in read(data)[:MAX_MODELS]]
    raise error_type(status_code, error_body(body))(
        f"The upstream answered with status {status_code}.", status_code=status_code
    )
