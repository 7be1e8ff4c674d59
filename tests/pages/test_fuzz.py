"""Does every page stay whole whatever its address says?

Each page is opened once and then visited with addresses in which most of its parameters hold hostile, extreme or odd
values: thousands of values in some hundred runs, the same ones each time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.i18n import DEFAULT_LANGUAGE
from core.workload import LIMITS, NAME_CODE
from pages.parts.address import Field
from pages.parts.shell import PAGES
from tests.conftest import LANGS
from tests.pages.conftest import OpenPage, assert_whole

TOTAL_CASES = 2_000
NAMES = [name for name, _ in PAGES]
CASES_PER_PAGE = math.ceil(TOTAL_CASES / len(NAMES))
TRANSLATED_LINKS = 4

HOSTILE = (
    "", " ", "0", "-1", "-0", "1e308", "-1e308", "1e400", "nan", "inf", "-inf", "None", "null", "true", "1,000",
    "0x10", "٣", "１２", "½", "1_000", "1e-300", "9" * 400, "<script>alert(1)</script>", "'; DROP TABLE offers; --",
    "../../etc", "%00", "\x00", "\u202e", "😀" * 50, "한글", "{x}", "$1$", "[a](javascript:b)", "**b**",
    ":material/home:", "a" * 5_000, "2026-02-30", "0001-01-01", "9999-12-31",
)  # fmt: skip


def texts_of(key: str, field: Field | None, source: random.Random) -> list[str]:
    """Values of one parameter: hostile ones, its limits and beyond, its options, several at once."""
    edges: list[str] = []
    if key in WORKLOAD:
        limit = WORKLOAD[key]
        edges = [f"{limit.low:g}", f"{limit.high:g}", f"{limit.high * 2:g}", f"{limit.low - 1:g}"]
    elif field is not None:
        edges = [
            f"{edge:.12g}" for edge in (field.low, field.high, field.low - 1, field.high + 1) if math.isfinite(edge)
        ]
        edges += [str(one) for one in source.sample(list(field.options), min(3, len(field.options)))]
    pool = edges if edges and source.random() < 0.5 else HOSTILE
    return [source.choice(pool) for _ in range(3 if source.random() < 0.1 else 1)]


WORKLOAD = {limit.code: limit for limit in LIMITS.values()}


def address_of(fields: Mapping[str, Field], source: random.Random) -> dict[str, list[str]]:
    """An address in which four of five parameters are given; half of all addresses claim to be complete."""
    # The language stays as it is: the test session cannot follow a menu whose texts change under it.
    names: Sequence[str] = sorted({*fields, *WORKLOAD, NAME_CODE, "unheard_of"} - {"lang"})
    found = {name: texts_of(name, fields.get(name), source) for name in names if source.random() < 0.8}
    return found | ({"v": ["1"]} if source.random() < 0.5 else {})


def visit(at: AppTest, query: Mapping[str, list[str]]) -> None:
    """Follows a link in the same session, as somebody who edits the address does."""
    at.query_params.clear()
    for key, texts in query.items():
        at.query_params[key] = texts
    at.run()


def declared(at: AppTest) -> dict[str, Field]:
    # Streamlit's test session has no `get`.
    found: Any = at.session_state["_fields"] if "_fields" in at.session_state else {}  # noqa: SIM401
    return dict(found)


@pytest.mark.parametrize("name", NAMES)
def test_no_address_breaks_a_page(open_page: OpenPage, name: str) -> None:
    source = random.Random(name)
    at = open_page(name)
    cases = 0
    while cases < CASES_PER_PAGE:
        query = address_of(declared(at), source)
        visit(at, query)
        check(at, name, query)
        cases += len(query)


@pytest.mark.parametrize("lang", [lang for lang in LANGS if lang != DEFAULT_LANGUAGE])
@pytest.mark.parametrize("name", NAMES)
def test_no_first_link_breaks_a_translated_page(open_page: OpenPage, name: str, lang: str) -> None:
    """Every link in a visit of its own: the test session cannot follow a menu whose texts are translated."""
    source = random.Random(name)
    at = open_page(name, lang=lang)
    for _ in range(TRANSLATED_LINKS):
        query = address_of(declared(at), source)
        at = open_page(name, lang=lang, query=query, is_whole=False)
        check(at, name, query)


def check(at: AppTest, name: str, query: Mapping[str, list[str]]) -> None:
    try:
        assert_whole(at)
    except AssertionError as error:
        raise AssertionError(f"{name} broke at {query}") from error


def test_the_fuzz_reaches_every_parameter_of_a_page(open_page: OpenPage) -> None:
    """The fields a page declares are read from the page itself, so a new parameter is fuzzed without a change here."""
    fields = declared(open_page("roi"))

    assert {"roi_source", "roi_rate", "way_models", "fx", "cur"} <= set(fields)
