"""Which endpoints can a visitor add: servers on this machine, and addresses of his own where that is allowed?"""

from __future__ import annotations

import streamlit as st

from core.gateway import Endpoint, GatewayError
from core.gateway.diagnosis import Diagnosis, diagnose
from pages.parts import gateway, state, widgets
from pages.parts.gateway_money import OWN_MACHINE
from pages.parts.gateway_places import RefusedError, add_own, may_look_for
from pages.parts.offers import offer_of
from pages.parts.state import fmt, tr
from pages.parts.visit import visit

URL, KEY, MODELS = "connections_own_url", "connections_own_key", "connections_own_models"
_REFUSED, _ADDED, _LOOKED = "_connections_own_refused", "_connections_own_added", "_connections_looked"
MAX_URL_CHARS = 300
# What an address met with that gave no answer at all.
UNREACHED = frozenset({"dns", "tls", "connect", "slow", "cut", "base_url"})


def show_more() -> None:
    """Buttons that look for servers on this machine, the form for an address, and what came of them."""
    with st.container(horizontal=True, vertical_alignment="center", key="connections_more"):
        st.button(
            tr("connections.refresh"), key="connections_refresh", icon=":material/refresh:",
            help=tr("connections.refresh_help"),
        )  # fmt: skip
        for name in sorted(filter(may_look_for, OWN_MACHINE)):
            label = gateway.label_of(name)
            st.button(
                tr("connections.look", name=label), key=f"connections_look_{name}", icon=":material/travel_explore:",
                help=tr("connections.look_help", url=gateway.places()[name].base_url), on_click=_look, args=(name,),
            )  # fmt: skip
        if state.settings().allow_custom_base_url:
            with st.popover(tr("connections.own_add"), icon=":material/add_link:", key="connections_own"):
                _form()
        st.page_link("pages/playground.py", label=tr("connections.to_keys"), icon=":material/key:")
    if not state.settings().allow_custom_base_url:
        st.caption(tr("connections.own_off"))
    _show_looked()
    _show_own()


def _look(name: str) -> None:
    """Asks a server at its fixed address for its models; it is offered in this visit when it answers."""
    visit().local.add(name)
    found = next((one for one in gateway.real_endpoints() if one.name == name), None)
    offer = offer_of(visit(), gateway.gateway(), found, is_fresh=True) if found else None
    is_there = offer is not None and offer.done.is_set() and offer.error is None
    if not is_there:
        visit().local.discard(name)
    st.session_state[_LOOKED] = (name, len(offer.models) if offer and is_there else None)


def _show_looked() -> None:
    name, count = st.session_state.pop(_LOOKED, (None, None))
    if name is None:
        return
    label, url = gateway.label_of(name), gateway.places()[name].base_url
    if count is None:
        st.info(tr("connections.look_none", name=label, url=url), icon=":material/search_off:")
    else:
        st.success(tr("connections.look_found", name=label, count=fmt().number(count)), icon=":material/check:")


def _form() -> None:
    # Above the fields: below them it would stand under the edge of the window.
    _show_added()
    refused = st.session_state.pop(_REFUSED, None)
    if refused:
        st.error(refused, icon=":material/link_off:")
    st.caption(tr("connections.own_help"))
    st.text_input(tr("connections.own_url"), key=URL, max_chars=MAX_URL_CHARS, placeholder="https://api.example.com/v1")
    st.text_input(tr("connections.own_key"), key=KEY, type="password", autocomplete="off", max_chars=400)
    st.text_input(
        tr("connections.own_models"), key=MODELS, max_chars=2_000, placeholder="model-a, model-b",
        help=tr("connections.own_models_help"),
    )  # fmt: skip
    st.button(tr("connections.own_save"), key="connections_own_save", on_click=_add)


def _add() -> None:
    known = st.session_state
    models = [one.strip() for one in str(known.get(MODELS) or "").split(",") if one.strip()]
    try:
        added = add_own(str(known.get(URL) or ""), str(known.get(KEY) or ""), models)
    except RefusedError as refusal:
        known[_REFUSED] = tr(f"connections.own_{refusal.reason}")
    else:
        known[_ADDED] = added.name
        known[URL] = known[MODELS] = ""
    # The field is emptied, so that the key is in the session's memory only.
    known[KEY] = ""


def _show_added() -> None:
    """What the added endpoint says when it is asked for its models; one that cannot be reached is not kept."""
    name = st.session_state.pop(_ADDED, None)
    added = next((one for one in gateway.own_endpoints() if one.name == name), None)
    if added is None:
        return
    label = widgets.plain(gateway.label_of(added.name))
    if added.models:
        st.success(tr("connections.own_added", name=label, count=len(added.models)), icon=":material/check:")
        return
    with st.spinner(tr("connections.testing")):
        offer = offer_of(visit(), gateway.gateway(), added, is_fresh=True)
    if offer.models:
        st.success(tr("connections.own_added", name=label, count=len(offer.models)), icon=":material/check:")
        return
    if offer.error is None or diagnose(offer.error).topic in UNREACHED:
        _drop(added, offer.error)
    why = f" {tr(diagnose(offer.error).title_key)}." if offer.error else ""
    st.warning(tr("connections.own_no_models", name=label) + why, icon=":material/playlist_add:")


def _drop(added: Endpoint, error: GatewayError | None) -> None:
    """Forgets an endpoint that gave no answer, and draws the page anew without it, its address still in the form."""
    found = Diagnosis(topic="slow") if error is None else diagnose(error)
    name = widgets.plain(gateway.label_of(added.name))
    _remove(added.name)
    st.session_state[URL] = added.base_url
    st.session_state[_REFUSED] = (
        f"{tr('connections.own_unreachable', name=name)} {tr(found.title_key)}. {tr(found.check_key)}"
    )
    st.rerun()


def _show_own() -> None:
    """A button for each own endpoint that forgets it, with its key."""
    own = gateway.own_endpoints()
    if not own:
        return
    with st.container(horizontal=True, key="connections_own_list"):
        for one in own:
            st.button(
                tr("connections.own_remove", name=widgets.plain(gateway.label_of(one.name))),
                key=f"connections_remove_{one.name}", icon=":material/delete:", on_click=_remove, args=(one.name,),
            )  # fmt: skip


def _remove(name: str) -> None:
    visit().own.pop(name, None)
