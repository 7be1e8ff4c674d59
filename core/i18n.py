"""Which words does a reader see? Texts by key and language, from one folder of TOML files per language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

LANGUAGES: Mapping[str, str] = {"en": "English", "ko": "한국어"}
"""Every language by its code, with its own name. A new one is a line here and a folder of texts."""

DEFAULT_LANGUAGE = "en"
HANGUL = re.compile(r"[\uac00-\ud7a3\u3131-\u318e]")
"""A syllable or a single letter of Korean."""

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
    """The text of `key` in `lang`, its `{placeholders}` filled with `values`; a `Said` among them is in `lang` too.

    MissingTextError for an unknown key or language; KeyError naming a placeholder for which no value is given. Without
    any values the text comes as it stands, braces and all.
    """
    try:
        text = texts(lang)[key]
    except KeyError as error:
        raise MissingTextError(f"no text {key!r} in language {lang!r}") from error
    if not values:
        return text
    return text.format(**{name: one.text(lang) if isinstance(one, Said) else one for name, one in values.items()})


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that has no language yet: the key of its text and what fills it. `str` says it in English."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, lang: str) -> str:
        """The sentence in a language."""
        return t(self.key, lang, **self.values)

    def __str__(self) -> str:
        return self.text(DEFAULT_LANGUAGE)


def said(key: str, /, **values: object) -> Said:
    """The sentence of a text, to be worded by whoever shows it."""
    return Said(key, values)


class SaidError(ValueError):
    """Something cannot be used; `said` says why, in any language."""

    def __init__(self, why: Said) -> None:
        super().__init__(str(why))
        self.said = why


def choose_language(*wanted: str | None) -> str:
    """The first of `wanted` (address, choice, browser locale such as `ko-KR`) that has texts, else English."""
    for code in wanted:
        base = (code or "").replace("_", "-").split("-")[0].lower()
        if base in LANGUAGES:
            return base
    return DEFAULT_LANGUAGE
