"""Both languages say everything, with the same placeholders, and nothing that no page asks for."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from core.gateway.diagnosis import TOPICS
from core.i18n import LANGUAGES, MissingTextError, SaidError, choose_language, said, t, texts

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
    english = texts("en")
    different = [
        (lang, key)
        for lang in LANGUAGES
        for key, text in texts(lang).items()
        if _placeholders(text) != _placeholders(english.get(key, ""))
    ]

    assert different == []


def test_no_english_page_holds_korean_words() -> None:
    assert [key for key, text in texts("en").items() if HANGUL.search(text)] == []


def test_no_text_is_left_over() -> None:
    """A text is asked for by its key, by its name alone, or by an f-string whose fixed parts fit it.

    An f-string without a fixed part beyond the section, such as `f"roi.{name}"`, would excuse every text of it.
    """
    code = [path.read_text(encoding="utf-8") for room in ("core", "pages") for path in (PROJECT / room).rglob("*.py")]
    words: set[str] = set()
    patterns: set[str] = set()
    for node in (node for text in code for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            fixed = [str(part.value) if isinstance(part, ast.Constant) else None for part in node.values]
            if re.fullmatch(r"[a-z_]+\.[a-z_0-9]*", fixed[0] or "") and "".join(filter(None, fixed))[-1] != ".":
                patterns.add("".join("[a-z0-9_]+" if part is None else re.escape(part) for part in fixed))
    asked = re.compile("|".join(patterns))
    unused = [
        key for key in texts("en") if key not in words and key.split(".")[1] not in words and not asked.fullmatch(key)
    ]

    assert unused == []


def test_every_topic_of_the_error_guide_has_its_four_texts_and_no_other_has() -> None:
    wanted = {f"diagnosis.{topic}_{part}" for topic in TOPICS for part in ("title", "cause", "check", "remedy")}

    assert {key for key in texts("en") if key.startswith("diagnosis.")} == wanted


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(MissingTextError, match="no text"):
        t("common.no_such_key", "en")


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [(("ko-KR",), "ko"), ((None, "en_US"), "en"), (("xx", "ko"), "ko"), ((None, None), "en"), (("",), "en")],
)
def test_the_first_language_that_has_texts_is_chosen(wanted: tuple[str | None, ...], chosen: str) -> None:
    assert choose_language(*wanted) == chosen


def test_a_sentence_without_a_language_is_worded_by_whoever_shows_it() -> None:
    inner = said("catalog.row_empty", column="price")
    error = SaidError(said("catalog.row_column", column="x", why=inner))

    assert str(error) == "x: price is empty"
    assert error.said.text("ko") == "x: price 값이 비어 있습니다"
    assert t("shell.setting_refused", "ko", problem=inner).endswith("price 값이 비어 있습니다")
