"""Which real endpoints are there: known sellers, the operator's, those on this machine, the visitor's own?"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

import streamlit as st

from core.gateway import PRESETS, Endpoint, Preset, user_base_url
from core.gateway.endpoints import clean_base_url
from core.gateway.errors import BaseUrlError
from pages.parts import safe_log, state
from pages.parts.gateway_money import OWN_MACHINE
from pages.parts.visit import visit

# An endpoint of the visitor's own is called so and then as its host: never like a seller or a simulated one.
OWN_PREFIX = "own-"
MAX_OWN = 10
MAX_TYPED_MODELS = 50
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

Refusal = Literal["off", "address", "forbidden", "plain", "key_refused", "too_many"]


class RefusedError(ValueError):
    """Why an endpoint is not taken; `reason` names the text that says so."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason: Refusal = reason


def places() -> dict[str, Preset]:
    """Known sellers, at the address the operator set or their own, and the operator's further endpoints, by name."""
    asked = state.settings().endpoints
    found = {
        name: replace(preset, base_url=asked.base_urls[name]) if name in asked.base_urls else preset
        for name, preset in PRESETS.items()
    }
    for name, url in asked.base_urls.items():
        if name not in found:
            found[name] = Preset(
                name=name, label=name, base_url=url, dialect="openai", provider_id=name, needs_key=False
            )
    return found


def label_of(name: str) -> str:
    """How an endpoint is called on a page."""
    return PRESETS[name].label if name in PRESETS else name.removeprefix(OWN_PREFIX)


def server_key(name: str) -> str:
    """The key the operator set for an endpoint, "" without one."""
    variable = f"{name.upper()}_API_KEY"
    if os.environ.get(variable):
        return os.environ[variable]
    kept = safe_log.server_secrets()
    keys = kept.get("keys")
    found = kept.get(variable) or (keys.get(name) if isinstance(keys, Mapping) else "")
    return str(found or "")


def set_session_key(name: str, key: str) -> None:
    """Keeps a typed key for this visit, or forgets it when empty. ValueError when it cannot be one."""
    key = key.strip()
    if not key:
        visit().keys.pop(name, None)
        return
    places()[name].endpoint(key)
    if any(sign.isspace() for sign in key):
        raise ValueError("api_key: it holds a blank or a line break; copy it again.")
    visit().keys[name] = key


def is_on(name: str) -> bool:
    """Whether a server on the own machine is offered: switched on, given an address, or found in this visit."""
    asked = state.settings().endpoints
    return asked.is_enabled.get(name, name in asked.base_urls or name in visit().local)


def may_look_for(name: str) -> bool:
    """Whether this visitor may look for a server on this machine: unless it is switched off, and from here only."""
    if is_on(name) or name not in OWN_MACHINE or name in state.settings().endpoints.is_enabled:
        return False
    return is_visitor_here()


def is_visitor_here() -> bool:
    """Whether the visitor sits at this machine: he comes from it, and by a name that means it to a browser."""
    return st.context.ip_address is None and (urlsplit(st.context.url or "").hostname or "") in LOCAL_HOSTS


def limited(endpoint: Endpoint) -> Endpoint:
    """The endpoint with the requests and tokens per minute that the operator allows, and the models he names."""
    asked = state.settings().endpoints
    requests, tokens = asked.limits_of(endpoint.name)
    models = asked.models.get(endpoint.name) or endpoint.models
    return replace(endpoint, requests_per_min=requests, tokens_per_min=tokens, models=models)


def real_endpoints() -> tuple[Endpoint, ...]:
    """Endpoints that can be called; a key typed here goes before the server's, which is left out if it cannot be one.

    The visitor's own come last, and only while the operator allows such.
    """
    found = []
    for name, preset in places().items():
        key = visit().keys.get(name) or server_key(name)
        if key or (is_on(name) if name in OWN_MACHINE else not preset.needs_key):
            try:
                found.append(limited(preset.endpoint(key)))
            except ValueError:
                continue
    return (*found, *own_endpoints())


def own_endpoints() -> tuple[Endpoint, ...]:
    """What this visitor added; nothing when the operator does not allow it."""
    return tuple(map(limited, visit().own.values())) if state.settings().allow_custom_base_url else ()


def add_own(base_url: str, key: str, models: Sequence[str] = ()) -> Endpoint:
    """Takes a typed address for this visit. Raises RefusedError."""
    found = typed_endpoint(base_url, key, models, is_allowed=state.settings().allow_custom_base_url)
    if found.name not in visit().own and len(visit().own) >= MAX_OWN:
        raise RefusedError("too_many")
    visit().own[found.name] = found
    return found


def typed_endpoint(base_url: str, key: str, models: Sequence[str], *, is_allowed: bool) -> Endpoint:
    """An OpenAI-compatible endpoint at a typed address: https, or http on this machine. Raises RefusedError.

    A name that leads to a forbidden address is refused again when it is called.
    """
    if not is_allowed:
        raise RefusedError("off")
    try:
        url = clean_base_url(base_url)
    except BaseUrlError:
        raise RefusedError("address") from None
    try:
        user_base_url(url, is_allowed=True)
    except BaseUrlError:
        raise RefusedError("forbidden") from None
    parts = urlsplit(url)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise RefusedError("plain")
    key = key.strip()
    if any(sign.isspace() for sign in key):
        raise RefusedError("key_refused")
    try:
        return Endpoint(
            name=f"{OWN_PREFIX}{parts.netloc.lower()}", base_url=url, api_key=key, is_user_typed=True,
            models=tuple(models)[:MAX_TYPED_MODELS],
        )  # fmt: skip
    except ValueError:
        raise RefusedError("key_refused") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
