"""How does a reader bring an export in: choose, look at what it would do, map unknown models, import, take it out?"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.catalog.aliases import UnknownModelError
from core.catalog.database import DatabaseProblem
from core.usage.files import SAMPLE_TOOL, imported_files, remove_import
from core.usage.importing import ModelUse, Preview, import_export, preview
from core.usage.imports import ExportRefusedError, ParsedExport, read_export
from core.usage.imports.models import match_model, suggest_models
from core.usage.rollup import choices
from core.usage.sample import load_sample
from pages.parts import address, state, tables, widgets
from pages.parts.state import catalog, fmt, lang, tr
from pages.parts.tables import Column
from pages.parts.usage_data import engine, price_of_row, prices_of
from pages.parts.usage_inputs import SOURCE, default_source

SHOW_NEXT = "_usage_show_next"
UPLOAD, PARSED, ROUND, SAID = "usage_upload", "_usage_parsed", "_usage_round", "_usage_said"
ASKED_AT_MOST = 20
REJECTED_SHOWN = 500


def show_import() -> None:
    """The whole flow; nothing is written before the button."""
    said = st.session_state.pop(SAID, None)
    if said:
        st.success(said, icon=":material/check:")
    st.caption(tr("usage.import_help"))
    # A new key empties the uploader after an import.
    upload = st.file_uploader(tr("usage.import_file"), key=f"{UPLOAD}_{st.session_state.get(ROUND, 0)}")
    if upload is None:
        st.session_state.pop(PARSED, None)
        return
    try:
        parsed = _parsed(upload)
    except ExportRefusedError as refused:
        st.error(widgets.plain(refused.said.text(lang())), icon=":material/error:")
        return
    _show_preview(parsed, upload.name)


def _parsed(upload: Any) -> ParsedExport:
    """The file read once, not at every rerun."""
    kept = st.session_state.get(PARSED)
    if kept is None or kept[0] != upload.file_id:
        with st.spinner(tr("usage.reading")):
            kept = (upload.file_id, read_export(upload.getvalue()))
        st.session_state[PARSED] = kept
    found: ParsedExport = kept[1]
    return found


def _show_preview(parsed: ParsedExport, file_name: str) -> None:
    found = preview(engine(), parsed)
    show = fmt()
    st.markdown(f"**{tr('usage.preview_title', tool=tr(f'usage.tool_{parsed.tool}'))}**")
    with widgets.cards():
        widgets.card(tr("usage.rows_new"), show.number(found.new_count))
        widgets.card(tr("usage.rows_changed"), show.number(found.changed_count))
        widgets.card(tr("usage.rows_known"), show.number(found.same_count + parsed.repeated_count))
        widgets.card(tr("usage.rows_rejected"), show.number(len(parsed.rejected)))
    if parsed.has_more_pages:
        st.warning(tr("usage.more_pages"), icon=":material/info:")
    if found.overlap_count:
        st.warning(tr("usage.overlap", count=show.number(found.overlap_count)), icon=":material/info:")
    _show_rejected(parsed)
    models = _mapping(found)
    count = found.new_count + found.changed_count
    if not count:
        st.info(tr("usage.nothing_new"), icon=":material/info:")
        return
    label = tr("usage.import_button", count=show.number(count))
    if st.button(label, key="usage_import_button", type="primary", icon=":material/upload:"):
        _import(parsed, file_name, models)


def _show_rejected(parsed: ParsedExport) -> None:
    if not parsed.rejected:
        return
    rows = [
        {"row": one.row_number, "field": one.field, "reason": tr(f"usage.reject_{one.kind}"), "given": one.given}
        for one in parsed.rejected
    ]
    columns = [
        Column(field="row", label=tr("usage.reject_row"), kind="number"),
        Column(field="field", label=tr("usage.reject_field")),
        Column(field="reason", label=tr("usage.reject_reason")),
        Column(field="given", label=tr("usage.reject_given")),
    ]
    with st.expander(tr("usage.rejected_title", count=fmt().number(len(rows)))):
        tables.table(rows[:REJECTED_SHOWN], columns, key="usage_rejected", alt=tr("usage.rows_rejected"))
        tables.download(rows, columns, key="usage_rejected_csv", file_stem="rejected-rows")


def _mapping(found: Preview) -> dict[str, str]:
    """The catalog's model for each exported name: recognised ones at once, the others asked for."""
    sheets = catalog().llm.sheets()
    models: dict[str, str] = {}
    unknown: list[ModelUse] = []
    for use in found.models:
        match = match_model(use.model, use.provider_id, sheets) or _alias(use)
        if match:
            models[use.model] = match
        elif use.model not in {one.model for one in unknown}:
            unknown.append(use)
    if not unknown:
        return models
    st.markdown(f"**{tr('usage.mapping_title')}**")
    st.caption(tr("usage.mapping_help"))
    known = sorted(sheets)
    for place, use in enumerate(unknown[:ASKED_AT_MOST]):
        likely = suggest_models(use.model, known)
        options = ["", *likely, *(model for model in known if model not in likely)]
        name = widgets.plain(use.model) or tr("usage.not_named")
        chosen = st.selectbox(
            tr("usage.mapping_label", model=name, count=fmt().compact(use.request_count)), options,
            key=f"usage_map_{place}", format_func=lambda model: model or tr("usage.mapping_none"),
        )  # fmt: skip
        if chosen:
            models[use.model] = chosen
    if len(unknown) > ASKED_AT_MOST:
        st.caption(tr("usage.mapping_rest", count=fmt().number(len(unknown) - ASKED_AT_MOST)))
    return models


def _alias(use: ModelUse) -> str | None:
    for name in (f"{use.provider_id}/{use.model}", use.model):
        try:
            return catalog().llm.resolve(name)
        except UnknownModelError:
            continue
    return None


def _import(parsed: ParsedExport, file_name: str, models: Mapping[str, str]) -> None:
    bar = st.progress(0.0, text=tr("usage.importing"))
    shelf = catalog()

    def show_progress(done: int, whole: int) -> None:
        bar.progress(done / whole, text=tr("usage.importing"))

    try:
        count = import_export(
            engine(),
            parsed,
            file_name,
            models=models,
            price=lambda model, row: price_of_row(shelf, model, row),
            on_progress=show_progress,
        )
    except DatabaseProblem as problem:
        bar.empty()
        state.show_database_problem(problem)
        st.caption(tr("usage.import_undone"))
        return
    st.session_state[SAID] = tr("usage.imported", count=fmt().number(count))
    # The filter is a widget of this very run: the next run takes this before it is made.
    st.session_state[SHOW_NEXT] = "real"
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    st.session_state.pop(PARSED, None)
    st.rerun()


def show_files() -> None:
    """Every import with a button that takes it out again."""
    for file in imported_files(engine()):
        name = tr("usage.tool_sample") if file.tool == SAMPLE_TOOL else widgets.plain(file.file_name)
        first, last = (
            fmt().date(dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC).date()) for ms in (file.first_ms, file.last_ms)
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            text = tr(
                "usage.file_line", name=name, tool=tr(f"usage.tool_{file.tool}"),
                count=fmt().number(file.row_count), first=first, last=last,
            )  # fmt: skip
            st.markdown(text, width="stretch")
            st.button(
                tr("usage.remove"), key=f"usage_remove_{file.import_id}", icon=":material/delete:", type="tertiary",
                on_click=_remove, args=(file.import_id,),
            )  # fmt: skip


def _remove(import_id: int) -> None:
    try:
        remove_import(engine(), import_id)
    except DatabaseProblem as problem:
        st.session_state[SAID] = tr(f"common.database_{problem.reason}")
        return
    address.set_value(SOURCE, default_source(choices(engine())))
    st.session_state[SAID] = tr("usage.removed")


def sample_button() -> None:
    """Loads the invented log, so that a newcomer sees every figure of the page."""
    st.button(tr("usage.load_sample"), key="usage_load_sample", icon=":material/science:", on_click=_load_sample)


def _load_sample() -> None:
    shelf = catalog()
    try:
        address.set_value(SOURCE, "sample")
        load_sample(engine(), lambda model, kind, size: prices_of(shelf, model, kind, size), now_s=time.time())
    except DatabaseProblem as problem:
        st.session_state[SAID] = tr(f"common.database_{problem.reason}")
