"""Are today's prices newer than those shipped? A downloaded price table is compared, shown and only then taken in."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from core.catalog.commands import MAX_BYTES, require_small
from core.catalog.feeds.parsed import FeedError, read_feed
from core.catalog.llm_diff import HeldModel, LlmDiff
from core.catalog.llm_refresh import forget, last_refresh, preview, take
from core.catalog.llm_sources import MODEL_SOURCES, ModelSource
from core.i18n import Said, SaidError, said
from core.money import MICRO
from pages.parts import state, tables, widgets
from pages.parts.model_prices_data import label
from pages.parts.state import catalog, fmt, lang, tr
from pages.parts.tables import Column

MESSAGE = "_mp_feed_message"
REASONS_SHOWN, REASON_CHARS = 3, 160


def feed() -> None:
    """The refresh: what holds, a file to compare with it, and a way back."""
    message = st.session_state.pop(MESSAGE, None)
    if message:
        (st.error if message[0] == "error" else st.success)(message[1])
    name = next(iter(MODEL_SOURCES))
    if len(MODEL_SOURCES) > 1:
        name = st.selectbox(tr("model_prices.feed_source"), list(MODEL_SOURCES), key="mp_feed_source")
    source = MODEL_SOURCES[name]
    last = last_refresh(catalog().engine, source.source)
    if last is not None and last.source_date is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            held, day = fmt().number(last.row_count), fmt().date(last.source_date)
            st.markdown(tr("model_prices.feed_holds", source=name, count=held, date=day))
            st.button(
                tr("model_prices.feed_undo"), key="mp_feed_undo", on_click=_undo, args=(source.source,),
                icon=":material/undo:",
            )  # fmt: skip
    st.caption(tr("model_prices.feed_body", source=name, address=source.url))
    _compare(source)


def _compare(source: ModelSource) -> None:
    """A downloaded table, and what it would change."""
    left, right = st.columns([3, 1], vertical_alignment="top")
    today = state.today()
    given = left.file_uploader(
        tr("model_prices.feed_file", kind=source.file_type.upper()), type=source.file_type, key="mp_feed_file",
        max_upload_size=MAX_BYTES >> 20,
    )  # fmt: skip
    day = right.date_input(
        tr("model_prices.feed_day"), today, max_value=today, min_value=dt.date(2026, 1, 1), key="mp_feed_day"
    )
    if given is None or not isinstance(day, dt.date):
        return
    try:
        require_small(given.size)
        if not given.getvalue().strip():
            raise FeedError(said("catalog.feed_blank"))
        diff = preview(catalog().engine, read_feed(source.parse, given.getvalue(), day))
    except FeedError as error:
        st.error(_unusable(error.said))
        return
    _compared(diff)


def _unusable(why: Said) -> str:
    return tr("model_prices.feed_unusable", reason=widgets.plain(why.text(lang())))


def _compared(diff: LlmDiff) -> None:
    if diff.refused_because:
        st.error(_unusable(diff.refused_because))
    else:
        st.markdown(
            tr(
                "model_prices.feed_found",
                models=fmt().number(len(diff.taken)),
                new=fmt().number(len(diff.new)),
                changed=fmt().number(len(diff.changed)),
                held=fmt().number(len(diff.held)),
                refused=fmt().number(len(diff.parsed.refused)),
            )
        )
        st.button(
            tr("model_prices.feed_take"), key="mp_feed_take", on_click=_take, args=(diff,), type="primary",
            icon=":material/sync:",
        )  # fmt: skip
    _refused(diff)
    if diff.held:
        rows = [
            {"name": label(one.key), "why": tr(f"model_prices.feed_held_{one.reason}"), "detail": _detail(one)}
            for one in diff.held
        ]
        columns = [
            Column(field="name", label=tr("model_prices.model"), pinned=True),
            Column(field="why", label=tr("model_prices.feed_why")),
            Column(field="detail", label=tr("model_prices.feed_detail")),
        ]
        tables.table(rows, columns, key="mp_feed_held", alt=tr("model_prices.feed_why"))


def _refused(diff: LlmDiff) -> None:
    """Why entries were refused, the first of them in the words of the table's reader."""
    refused = diff.parsed.refused
    if not refused:
        return
    found = (one.reason for one in refused[:REASONS_SHOWN])
    reasons = [reason.text(lang()) if isinstance(reason, Said) else reason for reason in found]
    st.caption(
        tr(
            "model_prices.feed_refused_first",
            shown=len(reasons),
            count=fmt().number(len(refused)),
            reasons="; ".join(widgets.plain(reason[:REASON_CHARS]) for reason in reasons),
        )
    )


def _detail(one: HeldModel) -> str:
    """Which price holds a model back, in words."""
    price = one.price
    if price is None:
        return fmt().date(one.since) if one.since else ""
    words = f"{widgets.processing_text(price.processing)}, {tr(f'model_prices.component_{price.component}')}"
    if price.min_input_tokens:
        words += f", {tr('model_prices.prompt')} > {fmt().compact(price.min_input_tokens)}"
    if one.now_micro_usd_per_mtok is None:
        return words
    amounts = (one.now_micro_usd_per_mtok, price.micro_usd_per_mtok)
    return f"{words}: {' → '.join(fmt().money(amount / MICRO) for amount in amounts)}"


def _take(diff: LlmDiff) -> None:
    try:
        taken = take(catalog().engine, diff)
    except SaidError as error:
        st.session_state[MESSAGE] = ("error", _unusable(error.said))
        return
    catalog().llm.forget_version()
    st.session_state[MESSAGE] = (
        "done",
        tr("model_prices.feed_taken", added=taken.added, changed=taken.changed, confirmed=taken.confirmed),
    )


def _undo(source: str) -> None:
    count = forget(catalog().engine, source)
    catalog().llm.forget_version()
    st.session_state[MESSAGE] = ("done", tr("model_prices.feed_undone", count=fmt().number(count)))
