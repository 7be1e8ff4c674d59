"""Which models does an endpoint list that the catalog knows nothing of? Asked of it beside the page's drawing."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from core.gateway import Endpoint, Gateway, GatewayError
from pages.parts.visit import Visit

PATIENCE_S = 0.4
"""How long a page waits for the first answer; a later one is there when the page is drawn again."""

RETRY_S = 60.0
MAX_MODELS = 500


@dataclass
class Offer:
    """What one endpoint lists; `error` when it did not."""

    asked_at: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)
    models: tuple[str, ...] = ()
    error: GatewayError | None = None


def offer_of(who: Visit, gateway: Gateway, endpoint: Endpoint, *, is_fresh: bool = False) -> Offer:
    """The endpoint's answer as far as it is known; `is_fresh` asks again and waits for it."""
    key = (endpoint.name, endpoint.base_url, hash(endpoint.api_key))
    found: Offer | None = who.offers.get(key)
    is_stale = found is not None and found.error is not None and time.monotonic() - found.asked_at > RETRY_S
    if found is None or is_stale or is_fresh:
        found = who.offers[key] = Offer()
        threading.Thread(target=_ask, args=(found, gateway, endpoint.name), name="offers", daemon=True).start()
        found.done.wait(gateway.policy.headers_timeout_s if is_fresh else PATIENCE_S)
    return found


def _ask(offer: Offer, gateway: Gateway, name: str) -> None:
    try:
        # Gemini's list says "models/..." before each name.
        offer.models = tuple(one.removeprefix("models/") for one in gateway.models(name)[:MAX_MODELS])
    except GatewayError as error:
        offer.error = error.with_traceback(None)
    finally:
        offer.done.set()
