"""How does a reader bring an export in: choose, look at what it would do, map unknown models, import?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.catalog.aliases import UnknownModelError
from core.catalog.database import DatabaseProblem
from core.usage.importing import ModelUse, Preview, import_export, preview
from core.usage.imports import ExportRefusedError, ParsedExport, own, read_export
from core.usage.imports.models import match_model, suggest_models
from pages.parts import state, tables, widgets
from pages.parts.state import catalog, fmt, lang, tr
from pages.parts.tables import Column
from pages.parts.usage_data import engine, price_of_row
from pages.parts.usage_inputs import DAYS, day_of, shown_after_import, span_text

SHOW_NEXT = "_usage_show_next"
UPLOAD, PARSED, ROUND, SAID = "usage_upload", "_usage_parsed", "_usage_round", "_usage_said"
ASKED_AT_MOST = 20
REJECTED_SHOWN = 500


def tell() -> bool:
    """Says above the figures what the last import or removal did; whether there was one in the run before."""
    said = st.session_state.pop(SAID, None)
    if said:
        st.success(said, icon=":material/check:")
    return said is not None


def show_import() -> None:
    """The whole flow; nothing is written before the button."""
    names = own.TEMPLATE.partition("\n")[0].split(",")
    columns = ", ".join(name for name in names if name in own.COLUMNS)
    st.caption(tr("usage.import_help", columns=columns))
    st.download_button(
        tr("usage.template"), data=own.TEMPLATE, file_name="usage-template.csv", mime="text/csv", key="usage_template",
        on_click="ignore", icon=":material/download:", type="tertiary",
    )  # fmt: skip
    # A new key empties the uploader after an import.
    upload = st.file_uploader(tr("usage.import_file"), key=_upload_key())
    if upload is None:
        st.session_state.pop(PARSED, None)
        return
    try:
        parsed = _parsed(upload)
    except ExportRefusedError as refused:
        st.error(widgets.plain(refused.said.text(lang())), icon=":material/error:")
        return
    _show_preview(parsed, upload.name)


def _upload_key() -> str:
    return f"{UPLOAD}_{st.session_state.get(ROUND, 0)}"


def has_file() -> bool:
    """Whether a file waits to be imported."""
    return st.session_state.get(_upload_key()) is not None


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
    label = tr("usage.import_button_one") if count == 1 else tr("usage.import_button", count=show.number(count))
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
        Column(field="row", label=tr("usage.reject_row"), kind="number", help=tr("usage.reject_row_help")),
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
    first, last = (day_of(end(row.started_ms for row in parsed.rows)) for end in (min, max))
    # The filters are widgets of this very run: the next run takes these before they are made.
    shown = st.session_state[SHOW_NEXT] = shown_after_import(first)
    st.session_state[SAID] = tr(
        "usage.imported" if count > 1 else "usage.imported_one", count=fmt().number(count),
        span=span_text(first, last), period=tr(f"usage.period_{shown[DAYS]}"),
    )  # fmt: skip
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    st.session_state.pop(PARSED, None)
    st.rerun()
