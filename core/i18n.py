"""Which words does a reader see? Texts by key and language, from one folder of TOML files per language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES: Mapping[str, str] = {"en": "English", "ko": "한국어"}
"""Every language by its code, with its own name. A new one is a line here and a folder of texts."""

DEFAULT_LANGUAGE = "en"
TEXTS = Path(__file__).resolve().parent.parent / "data" / "texts"


class MissingTextError(KeyError):
    """A key without a text in a language."""


@cache
def texts(lang: str) -> Mapping[str, str]:
    """All texts of a language by `section.name`; a section is one file."""
    found: dict[str, str] = {}
    for path in sorted((TEXTS / lang).glob("*.toml")):
        with path.open("rb") as file:
            found |= {f"{path.stem}.{name}": str(text) for name, text in tomllib.load(file).items()}
    return found


def t(key: str, lang: str, **values: object) -> str:
    """The text of `key` in `lang`, its `{placeholders}` filled with `values`.

    MissingTextError for an unknown key or language; KeyError naming a placeholder for which no value is given. Without
    any values the text comes as it stands, braces and all.
    """
    try:
        text = texts(lang)[key]
    except KeyError as error:
        raise MissingTextError(f"no text {key!r} in language {lang!r}") from error
    return text.format(**values) if values else text


def choose_language(*wanted: str | None) -> str:
    """The first of `wanted` (address, choice, browser locale such as `ko-KR`) that has texts, else English."""
    for code in wanted:
        base = (code or "").replace("_", "-").split("-")[0].lower()
        if base in LANGUAGES:
            return base
    return DEFAULT_LANGUAGE
