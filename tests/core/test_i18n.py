"""Both languages say everything, with the same placeholders, and nothing that no page asks for."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from core.i18n import LANGUAGES, MissingTextError, choose_language, t, texts

PROJECT = Path(__file__).resolve().parents[2]
HANGUL = re.compile("[가-힣]")


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_text_exists_in_every_language() -> None:
    english = set(texts("en"))

    assert english
    for lang in LANGUAGES:
        assert set(texts(lang)) == english, sorted(set(texts(lang)) ^ english)


def test_translations_have_the_same_placeholders() -> None:
    different = [key for key, text in texts("en").items() if _placeholders(text) != _placeholders(texts("ko")[key])]

    assert different == []


def test_no_english_page_holds_korean_words() -> None:
    assert [key for key, text in texts("en").items() if HANGUL.search(text)] == []


def test_no_text_is_left_over() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for room in ("core", "pages") for path in (PROJECT / room).rglob("*.py")
    )
    prefixes = set(re.findall(r'f"([a-z_]+\.[a-z_0-9]*)\{', code)) | set(re.findall(r'f"([a-z_]+)\.\{', code))
    unused = [
        key
        for key in texts("en")
        if f'"{key}"' not in code and not key.startswith(tuple(prefixes)) and f'"{key.split(".")[1]}"' not in code
    ]

    assert unused == []


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(MissingTextError, match="no text"):
        t("common.no_such_key", "en")


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [(("ko-KR",), "ko"), ((None, "en_US"), "en"), (("xx", "ko"), "ko"), ((None, None), "en"), (("",), "en")],
)
def test_the_first_language_that_has_texts_is_chosen(wanted: tuple[str | None, ...], chosen: str) -> None:
    assert choose_language(*wanted) == chosen
