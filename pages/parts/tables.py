"""How does every table align its numbers, name its units and leave as a file?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import streamlit as st

from pages.parts.state import fmt, later, tr
from pages.parts.widgets import plain

LONG_TABLE_ROWS = 30
Rows = Sequence[Mapping[str, Any]] | pd.DataFrame
NUMERIC = frozenset({"number", "money", "share"})
UTF8_BOM = "utf-8-sig"  # Excel reads Korean in a CSV file only with a byte order mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: the row's field, its heading, what it holds and in which unit.

    `money` fields are in USD and shown in the reader's currency; `share` fields (0 to 1) are shown in percent.
    """

    field: str
    label: str
    kind: Literal["text", "number", "money", "share", "link", "date"] = "text"
    unit: str = ""
    digits: int = 0
    help: str | None = None
    width: int | Literal["small", "medium", "large"] | None = None
    pinned: bool = False


def amount_column(field: str, label: str, per: str = "") -> Column:
    """A column of amounts that are in the reader's currency already, such as those of a chart."""
    shown = fmt()
    return Column(
        field=field, label=label, kind="number", unit=shown.symbol + per, digits=0 if shown.currency == "KRW" else 2
    )


def heading(column: Column) -> str:
    """Heading with its unit, money with the reader's currency sign."""
    unit = f"{fmt().symbol}{column.unit}" if column.kind == "money" else "%" if column.kind == "share" else column.unit
    return f"{column.label} ({unit})" if unit else column.label


def arrow(rows: Rows, columns: Sequence[Column]) -> pa.Table:
    """Rows as a table in the reader's currency and units; unknown numbers stay empty, never 0.

    Made without pandas, which takes three times as long on a slider's way.
    """
    source = {c.field: rows[c.field].tolist() if isinstance(rows, pd.DataFrame) else [row.get(c.field) for row in rows]
              for c in columns}  # fmt: skip
    return pa.table({column.field: _array(source[column.field], column) for column in columns})


def _array(values: list[Any], column: Column) -> pa.Array:
    if column.kind in NUMERIC:
        return pa.array(np.array(values, dtype="float64") * _factor(column), from_pandas=True)
    if column.kind == "date":
        return pa.array(values, type=pa.date32(), from_pandas=True)
    texts = [value if value is None else str(value) for value in values]
    # Repeated words (providers, sources) travel once.
    is_repeated = len(texts) >= LONG_TABLE_ROWS and len(set(texts)) * 2 < len(texts)
    found = pa.array(texts, type=pa.string())
    return found.dictionary_encode() if is_repeated else found


def _factor(column: Column) -> float:
    return {"money": fmt().per_usd, "share": 100.0}.get(column.kind, 1.0)


def frame(rows: Rows, columns: Sequence[Column]) -> pd.DataFrame:
    """The same table for files."""
    found: pd.DataFrame = arrow(rows, columns).to_pandas()
    return found


def config(columns: Sequence[Column]) -> dict[str, Any]:
    """Streamlit's description of the columns: formats, alignment, help."""
    return {column.field: _config(column) for column in columns}


def _config(column: Column) -> Any:
    label = heading(column)
    common: dict[str, Any] = {"help": column.help, "width": column.width, "pinned": column.pinned}
    if column.kind in NUMERIC:
        return st.column_config.NumberColumn(label, format=f"%,.{shown_digits(column)}f", alignment="right", **common)
    if column.kind == "link":
        return st.column_config.LinkColumn(label, **common)
    if column.kind == "date":
        return st.column_config.DateColumn(label, format="YYYY-MM-DD", **common)
    return st.column_config.TextColumn(label, **common)


def table(
    rows: Rows,
    columns: Sequence[Column],
    *,
    key: str,
    alt: str,
    height: int | Literal["auto", "content", "stretch"] = "auto",
    on_select: Any = "ignore",
    selection_mode: Any = "single-row",
) -> Any:
    """Shows a table with right-aligned numbers and units in its headings; returns Streamlit's selection event."""
    return st.dataframe(
        arrow(rows, columns),
        column_config=config(columns),
        column_order=[column.field for column in columns],
        hide_index=True,
        key=key,
        alt=alt,
        height=height,
        width="stretch",
        on_select=on_select,
        selection_mode=selection_mode,
        placeholder="–",
    )


def small_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], note: str = "", *, explained: str | None = None
) -> None:
    """A few rows as a plain table of the page: light to redraw, read by screen readers, numbers to the right.

    `note` stands below it in small print, `explained` behind a "?": by it a keyboard reaches a table that scrolls.
    """
    heads = [heading(column).replace("$", r"\$") for column in columns]  # our own words: no more can be Markdown
    table = markdown_table(
        [heads, *([_cell(row[column.field], column) for column in columns] for row in rows)],
        is_right=[column.kind in NUMERIC for column in columns],
    )
    st.markdown(f"{table}\n\n:small[:gray[{note}]]" if note else table, help=explained)


def markdown_table(lines: Sequence[Sequence[str]], is_right: Sequence[bool]) -> str:
    """Lines of cells in Markdown, the headings first, as a table; which columns stand to the right."""
    marks = ["---:" if right else ":---" for right in is_right]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], marks, *lines[1:]))


def _cell(value: Any, column: Column) -> str:
    if value is None:
        return tr("common.unknown")
    if column.kind not in NUMERIC:
        return plain(str(value))
    return fmt().number(value * _factor(column), shown_digits(column))


def shown_digits(column: Column) -> int:
    """A won is about a thousandth of a dollar: three decimals fewer say the same."""
    is_won = column.kind == "money" and fmt().currency == "KRW"
    return max(0, column.digits - 3) if is_won else column.digits


def to_csv(rows: Rows, columns: Sequence[Column]) -> bytes:
    """The table as CSV with its headings, readable by Excel in Korean; text that a sheet would run is disarmed."""
    found = frame(rows, columns)
    for name in found.columns:
        if found[name].dtype.kind == "f":
            found[name] = found[name].map(_short_number)
        elif found[name].dtype.kind not in "iubM":
            found[name] = found[name].map(_disarmed)
    found.columns = pd.Index([heading(column) for column in columns])
    return found.to_csv(index=False).encode(UTF8_BOM)


def _short_number(value: float) -> str:
    """Six decimals at most (below 1, six digits), none for a whole number; empty where unknown."""
    if not math.isfinite(value):
        return ""
    return np.format_float_positional(value, precision=6, fractional=abs(value) >= 1, trim="-")


def _disarmed(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def download(rows: Rows | Callable[[], Rows], columns: Sequence[Column], *, key: str, file_stem: str) -> None:
    """A button that saves the table as CSV; the file, and rows given as a function, are made when pressed."""
    st.download_button(
        tr("common.download_csv"),
        data=later(lambda: to_csv(rows() if callable(rows) else rows, columns)),
        file_name=f"{file_stem}.csv",
        mime="text/csv",
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )
