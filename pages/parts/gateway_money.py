"""What does a call cost, and how much may be spent? List prices, and the caps the operator set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

import streamlit as st

from core.catalog.aliases import UnknownModelError
from core.catalog.llm_store import LlmPrices
from core.costs.tokens import PriceError, PriceSheet, TokenUsage, quote
from core.gateway import PRESETS, CallRecord, Endpoint, SpendingCaps, Usage, estimate_usage
from core.gateway.budget import Reservation
from core.gateway.demo import ENDPOINT_PREFIX
from core.gateway.desk import Price
from core.money import PICO_PER_USD
from core.usage.rollup import Filters, total
from pages.parts import state
from pages.parts.usage_data import engine
from pages.parts.visit import user_id, visit

OWN_MACHINE = frozenset(name for name, preset in PRESETS.items() if not preset.needs_key)


def sheet_of(provider_id: str, model: str) -> PriceSheet | None:
    """The prices of a model as its seller names it; a reseller's models have the maker's list price.

    None for a server on the own machine: nobody sells its tokens.
    """
    if provider_id in OWN_MACHINE:
        return None
    return next(_sheets(state.catalog().llm, provider_id, model), None)


def _sheets(prices: LlmPrices, provider_id: str, model: str) -> Iterator[PriceSheet]:
    """The seller's own prices of a model, then those of whom its bare name means, where each is known."""
    for name in (f"{provider_id}/{model}", model):
        with suppress(UnknownModelError):
            yield prices.sheet(name)


def pricer() -> Price:
    """What the gateway asks for the price of a usage; it runs outside of any visit."""
    prices = state.catalog().llm

    def price(endpoint: Endpoint, model: str, usage: Usage, at: dt.datetime) -> int | None:
        """Pico-USD of a usage by the seller's list price, None when there is none."""
        is_own = endpoint.provider_id in OWN_MACHINE
        if usage.source == "estimate" and (is_own or endpoint.name.startswith(ENDPOINT_PREFIX)):
            # The caps ask for the price of an estimate, and nobody bills these calls.
            return 0
        if is_own or usage.input_tokens is None or usage.output_tokens is None:
            return None
        tokens = TokenUsage(
            input_tokens=usage.input_tokens,
            cached_input_tokens=usage.cached_input_tokens or 0,
            cache_write_5m_tokens=usage.cache_write_5m_tokens or 0,
            cache_write_1h_tokens=usage.cache_write_1h_tokens or 0,
            output_tokens=usage.output_tokens,
        )
        for sheet in _sheets(prices, endpoint.provider_id, model):
            with suppress(PriceError, ValueError):
                return quote(sheet, tokens, at).pico_usd
        return None

    return price


def uncounted_pico_usd(call: CallRecord, endpoints: Mapping[str, Endpoint], price: Price) -> int:
    """What a call may have cost beyond the part that is known, at most: a request that was cut, timed out or stopped
    may have been billed. Endpoints by name. The longest answer is taken at the list price, also where it is simulated.
    """
    guess = replace(estimate_usage(call.request), source="unknown")
    found = 0
    for attempt in call.attempts:
        if attempt.is_lower_bound and attempt.endpoint in endpoints:
            most = price(endpoints[attempt.endpoint], attempt.model_asked, guess, attempt.started_at) or 0
            found += max(0, most - (attempt.pico_usd or 0))
    return found


class RealCaps(SpendingCaps):
    """Caps over real money: what was set aside as free stays free, though a simulated call shows a list price."""

    def settle(self, reservation: Reservation, spent_pico_usd: int) -> None:
        super().settle(reservation, spent_pico_usd if reservation.pico_usd else 0)


def _pico(cap_usd: Decimal | None) -> int | None:
    return None if cap_usd is None else int(cap_usd * PICO_PER_USD)


@st.cache_resource(show_spinner=False)
def _caps(url: str, day: int | None, user: int | None, session: int | None) -> RealCaps:
    found = RealCaps(day_pico_usd=day, user_day_pico_usd=user, session_pico_usd=session)
    spent = total(engine(), Filters(since=state.today(), until=state.today(), origins=("gateway",)), level="attempt")
    found.load(spent.pico_usd)
    return found


def caps() -> RealCaps | None:
    """The caps of this process, which know what the log says was spent today; None when none is set.

    Raises DatabaseProblem.
    """
    asked = state.settings()
    limits = [_pico(cap) for cap in (asked.cap_usd_per_day, asked.cap_usd_per_user, asked.cap_usd_per_session)]
    return None if limits == [None] * 3 else _caps(asked.database_url, *limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapState:
    """One cap of the operator: whose it is ("day", "user" or "session"), what is spent of it, and the cap."""

    about: str
    spent_pico_usd: int
    cap_usd: Decimal


def cap_states() -> list[CapState]:
    """The caps that are set, as far as they concern this visit."""
    found, asked = caps(), state.settings()
    if found is None:
        return []
    spent = found.spent(session_id=visit().name, user_id=user_id())
    limits = {"day": asked.cap_usd_per_day, "user": asked.cap_usd_per_user, "session": asked.cap_usd_per_session}
    return [
        CapState(about=about, spent_pico_usd=spent[about], cap_usd=cap)
        for about, cap in limits.items()
        if cap is not None
    ]
