"""What did you agree on yourself? Own prices and discounts, stored with a reason, removable."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.money import MICRO, micro_usd
from core.workload import Problem
from pages.parts import address, widgets
from pages.parts.model_prices_bills import sheets
from pages.parts.model_prices_data import label, labels
from pages.parts.state import catalog, fmt, tr

FIELDS = ("input", "cache_read", "output")
MESSAGE = "_mp_own_message"
DISCOUNT = address.Field(key="mp_off_percent", kind="float", default=10.0, low=0, high=99)


def own_prices() -> None:
    """The editor of overrides and discounts and the list of those that hold."""
    left, right = st.columns(2, gap="large")
    with left:
        _override_form()
    with right:
        _discount_form()
    message = st.session_state.pop(MESSAGE, None)
    if message:
        (st.error if message[0] == "error" else st.success)(message[1])
    _stored()


def _override_form() -> None:
    with st.form("mp_override", border=True):
        st.markdown("**" + tr("model_prices.override_title") + "**")
        keys, chosen = list(sheets()), st.session_state["mp_compare"]
        place = keys.index(chosen[0]) if chosen else 0
        st.selectbox(tr("model_prices.model"), keys, index=place, key="mp_own_model", format_func=labels().__getitem__)
        cells = st.columns(3)
        for cell, name in zip(cells, FIELDS, strict=True):
            heading = f"{tr(f'model_prices.component_{name}')} ($/Mtok)"
            cell.text_input(heading, key=f"mp_own_{name}", placeholder=tr("model_prices.unchanged"))
        st.text_input(tr("model_prices.reason"), key="mp_own_reason", max_chars=200)
        _save_button(_save_override)


def _save_button(save: Callable[[], None]) -> None:
    """What is saved is the server's, not the visit's: the button says so."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.form_submit_button(tr("model_prices.save"), on_click=save, icon=":material/save:")
        st.caption(tr("model_prices.for_everyone"), width="stretch")


def _save_override() -> None:
    values = st.session_state
    prices = {}
    for name in FIELDS:
        text = str(values[f"mp_own_{name}"]).strip().lstrip("$")
        if not text:
            continue
        price = _price(text)
        if price is None:
            field, why = tr(f"model_prices.component_{name}"), "comma" if "," in text else "refused"
            values[MESSAGE] = ("error", tr(f"model_prices.override_{why}", field=field, given=widgets.plain(text[:40])))
            return
        prices[name] = price
    if not prices:
        values[MESSAGE] = ("error", tr("model_prices.override_empty"))
        return
    catalog().llm.set_override(values["mp_own_model"], prices, reason=str(values["mp_own_reason"]).strip())
    values[MESSAGE] = ("done", tr("model_prices.override_saved", name=label(values["mp_own_model"])))


def _price(text: str) -> int | None:
    """Micro-USD per Mtok; None for no price, and for a comma: 0,10 and 1,250 differ from country to country."""
    try:
        price = micro_usd(text)
    except ValueError:
        return None
    return price if 0 <= price <= 1_000_000 * MICRO and "," not in text else None


def _discount_form() -> None:
    with st.form("mp_discount", border=True):
        st.markdown("**" + tr("model_prices.discount_title") + "**")
        providers = sorted({sheet.provider_id for sheet in sheets().values()})
        place = providers.index("openai") if "openai" in providers else 0
        st.selectbox(tr("model_prices.provider"), providers, index=place, key="mp_off_provider")
        # Without limits, for the reason that `number_field` gives; a form has no callbacks, so saving checks them.
        st.number_input(tr("model_prices.discount_percent"), value=10.0, step=1.0, key=DISCOUNT.key)
        st.text_input(tr("model_prices.reason"), key="mp_off_reason", max_chars=200)
        _save_button(_save_discount)


def _save_discount() -> None:
    values, problems = st.session_state, list[Problem]()
    share = float(address.parse(DISCOUNT, [str(values[DISCOUNT.key])], problems)) / 100
    if problems:
        values[MESSAGE] = ("error", tr("model_prices.discount_refused"))
        return
    catalog().llm.set_discount(values["mp_off_provider"], share, str(values["mp_off_reason"]).strip())
    values[MESSAGE] = ("done", tr("model_prices.discount_saved", provider=values["mp_off_provider"]))


def _stored() -> None:
    overrides = catalog().llm.overrides()
    discounts = catalog().llm.discounts()
    if not overrides and not discounts:
        st.caption(tr("model_prices.own_none"))
        return
    models = dict.fromkeys(key for key, _ in overrides)
    for number, key in enumerate(models):
        parts = [
            f"{tr(f'model_prices.component_{row.component}')} {fmt().money(row.micro_usd_per_mtok / MICRO)}"
            for one, row in overrides
            if one == key
        ]
        reason = next(row.note for one, row in overrides if one == key)
        _line(f"{label(key)}: {', '.join(parts)}", reason, f"mp_drop_price_{number}", _drop_override, key)
    for number, (provider, (share, reason)) in enumerate(discounts.items()):
        _line(f"{provider}: −{fmt().percent(share, 1)}", reason, f"mp_drop_off_{number}", _drop_discount, provider)


def _line(text: str, reason: str, key: str, action: object, subject: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(widgets.plain(text + (f" ({reason})" if reason else "")))
        st.button(tr("model_prices.remove"), key=key, on_click=action, args=(subject,), icon=":material/delete:")  # type: ignore[arg-type]


def _drop_override(key: str) -> None:
    catalog().llm.remove_override(key)


def _drop_discount(provider: str) -> None:
    catalog().llm.set_discount(provider, 0.0, "")
