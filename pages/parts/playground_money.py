"""What may the next request cost, what was spent, and how much of the caps is left?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import streamlit as st

from core.costs.tokens import PriceError, TokenUsage, quote
from core.gateway import ChatRequest, GatewayError
from core.gateway.errors import SpendingCapError
from core.money import PICO_PER_USD, usd_from_pico
from pages.parts import gateway, widgets
from pages.parts.gateway_money import cap_states
from pages.parts.playground_inputs import CAP_USD, DEFAULT_MAX_TOKENS, Choice, cap_usd_max
from pages.parts.playground_text import BAND_SHARE, estimated_input
from pages.parts.state import fmt, tr
from pages.parts.visit import Allowance

SHORT_ANSWER_TOKENS = 50
CARD_WIDTH_PX = 240


def cost_pico_usd(choice: Choice, tokens: TokenUsage) -> int | None:
    """List price of one request, None without a price."""
    sheet = gateway.sheet_of(choice.endpoint.provider_id, choice.model)
    if sheet is None:
        return None
    try:
        return quote(sheet, tokens).pico_usd
    except PriceError:
        return None


def _cost_usd(choice: Choice, input_tokens: int, output_tokens: int) -> Decimal | None:
    found = cost_pico_usd(choice, TokenUsage(input_tokens=input_tokens, output_tokens=output_tokens))
    return None if found is None else usd_from_pico(found)


def band_usd(choice: Choice, asked: ChatRequest) -> tuple[Decimal, Decimal] | None:
    """From a short answer to the longest allowed one, with the error of a count by characters."""
    tokens = estimated_input(asked.turns)
    longest = asked.max_output_tokens or DEFAULT_MAX_TOKENS
    low = _cost_usd(choice, int(tokens * (1 - BAND_SHARE)), min(SHORT_ANSWER_TOKENS, longest))
    high = _cost_usd(choice, int(tokens * (1 + BAND_SHARE)) + 1, longest)
    return None if low is None or high is None else (low, high)


def cap_usd() -> Decimal:
    """The spending cap of this visit."""
    asked = float(st.session_state.get("playground_cap", CAP_USD))
    return Decimal(str(min(max(0.0, asked), cap_usd_max())))


def _allowance() -> Allowance:
    found = gateway.visit().allowance
    found.limit(int(cap_usd() * PICO_PER_USD))
    return found


def reserve(chain: Sequence[Choice], asked: ChatRequest) -> Callable[[], None]:
    """Sets aside what the dearest model of a chain may take, until the returned function is called.

    Raises SpendingCapError when the cap of this visit does not allow it.
    """
    highs = [band[1] for one in chain if (band := band_usd(one, asked))]
    return _allowance().reserve(int(max(highs, default=Decimal(0)) * PICO_PER_USD))


def fits_cap(chosen: Sequence[Choice], asked: ChatRequest, *, is_side: bool) -> bool:
    """Whether the dearest way this request can go stays within the cap."""
    held: list[Callable[[], None]] = []
    try:
        for chain in [[one] for one in chosen] if is_side else [chosen]:
            held.append(reserve(chain, asked))
    except SpendingCapError:
        return False
    finally:
        for release in held:
            release()
    return True


def show_money(chosen: Sequence[Choice], asked: ChatRequest) -> None:
    """The answer of this page before anything is sent: price of the next request, spent so far, and the caps."""
    show = fmt()
    bands = [band for one in chosen if (band := band_usd(one, asked))]
    low, high = min((b[0] for b in bands), default=None), max((b[1] for b in bands), default=None)
    shown = f"{show.money_short(low)} – {show.money_short(high)}" if bands else "–"
    who = gateway.visit()
    # Wider cells than usual: two small amounts stand in one.
    with st.grid(3, min_column_width=CARD_WIDTH_PX):
        widgets.card(
            tr("playground.next_cost"), shown,
            tr("playground.next_note", tokens=show.number(estimated_input(asked.turns))),
            explained=tr("playground.next_help"),
        )  # fmt: skip
        widgets.card(
            tr("playground.spent"), show.money_short(usd_from_pico(who.spent_pico_usd)),
            tr("playground.spent_note", simulated=show.money_short(usd_from_pico(who.simulated_pico_usd))),
        )  # fmt: skip
        with st.container(border=True, height="stretch"):
            _show_caps()


def _show_caps() -> None:
    """The bar of this visit's cap, and a line for each cap of the operator."""
    show, allowance, cap = fmt(), _allowance(), cap_usd()
    spent, held = usd_from_pico(allowance.spent_pico_usd), usd_from_pico(allowance.reserved_pico_usd)
    text = tr("playground.cap_bar", spent=show.money_short(spent), cap=show.money_short(cap))
    if held:
        text += " · " + tr("playground.cap_held", held=show.money_short(held))
    st.progress(min(float((spent + held) / cap), 1.0) if cap else 1.0, text=text.replace("$", r"\$"))
    st.caption(tr("playground.cap_counts"))
    for one in cap_states():
        said = tr(
            f"playground.cap_{one.about}", spent=show.money_short(usd_from_pico(one.spent_pico_usd)),
            cap=show.money_short(one.cap_usd),
        )  # fmt: skip
        st.caption(said.replace("$", r"\$"))


def cap_text(error: GatewayError) -> str:
    """What a cap of the operator that was reached means, and what can be done."""
    return tr("playground.cap_unpriced" if "price" in str(error) else "playground.cap_stop")
