"""How does a text of the address become the value of an input, and what is said when it cannot?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.workload import Problem, ProblemKind

TEXT_MAX_CHARS = 200
MAX_CHOICES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input of a page: its widget key, which is also its name in the address, and what it may hold.

    `options` are stable ids, never translated labels. Kinds: int, float (with low, high), choice, choices (a list),
    text, flag (bool), date (ISO). A default of None means "nothing chosen". `named` is how a choice is called on the
    page, for the sentence that says which one holds in place of one that is not offered.
    """

    key: str
    kind: Literal["int", "float", "choice", "choices", "text", "flag", "date"]
    default: Any
    low: float = -math.inf
    high: float = math.inf
    options: Sequence[str] = ()
    named: Callable[[Any], str] | None = None


def parse(field: Field, texts: Sequence[str], problems: list[Problem]) -> Any:
    """`texts` as a value of `field`; what does not fit becomes the nearest or default value and is reported."""
    if field.kind == "choices":
        return _choices(field, texts, problems)
    text = texts[-1] if texts else ""
    if text == "" and field.default is None:
        return None
    return _PARSERS[field.kind](field, text, problems)


def _refuse(field: Field, kind: ProblemKind, text: str, used: Any, problems: list[Problem]) -> Any:
    has_limits = math.isfinite(field.low) and math.isfinite(field.high)
    problems.append(
        Problem(
            field=field.key,
            kind=kind,
            given=text[:40],
            used=_called(field, used),
            low=field.low if has_limits else None,
            high=field.high if has_limits else None,
        )
    )
    return used


def _called(field: Field, used: Any) -> str:
    """What is used instead, in words; empty for nothing and for a choice without a name."""
    called = str if field.kind in {"int", "float", "date"} else field.named
    return "" if used is None or called is None else called(used)


def _number(field: Field, text: str, problems: list[Problem]) -> Any:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        return _refuse(field, "not_a_number", text, field.default, problems)
    whole = int if field.kind == "int" else float
    if value < field.low:
        return _refuse(field, "too_small", text, whole(field.low), problems)
    if value > field.high:
        return _refuse(field, "too_large", text, whole(field.high), problems)
    if math.isinf(value):
        return _refuse(field, "not_a_number", text, field.default, problems)
    if whole(value) != value:
        return _refuse(field, "not_whole", text, whole(value), problems)
    return whole(value)


def _choice(field: Field, text: str, problems: list[Problem]) -> Any:
    return text if text in field.options else _refuse(field, "not_a_choice", text, field.default, problems)


def _choices(field: Field, texts: Sequence[str], problems: list[Problem]) -> list[str]:
    wanted = [text for text in dict.fromkeys(texts) if text][:MAX_CHOICES]
    good = [text for text in wanted if text in field.options]
    bad = [text for text in wanted if text not in field.options]
    if bad and not good and field.default:
        # Nothing that was asked for is there: an empty page would answer nobody.
        names = ", ".join(map(field.named or str, field.default))
        problems.append(Problem(field=field.key, kind="not_a_choice", given=", ".join(bad)[:40], used=names))
        return list(field.default)
    if bad:
        _refuse(field, "left_out", ", ".join(bad), None, problems)
    return good


def _text(_field: Field, text: str, _problems: list[Problem]) -> str:
    return "".join(char for char in text if char.isprintable())[:TEXT_MAX_CHARS]


def _flag(field: Field, text: str, problems: list[Problem]) -> Any:
    words = {"1": True, "true": True, "0": False, "false": False}
    known = words.get(text.lower())
    return _refuse(field, "not_a_choice", text, field.default, problems) if known is None else known


def _date(field: Field, text: str, problems: list[Problem]) -> Any:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return _refuse(field, "not_a_date", text, field.default, problems)


_PARSERS: Mapping[str, Callable[[Field, str, list[Problem]], Any]] = {
    "int": _number,
    "float": _number,
    "choice": _choice,
    "text": _text,
    "flag": _flag,
    "date": _date,
}
