"""Can a visitor weigh a switch in a real browser: change the terms, take the article's example, carry the link away?"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenVisit

pytestmark = pytest.mark.browser


def metric(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def test_a_migration_cost_moves_the_payback_and_the_link_keeps_it(visit: OpenVisit) -> None:
    """4,500 a month against 750 saves 3,750: an outlay of 15,000 is paid back after four months."""
    one = visit()
    page = one.open("/roi?roi_source=own&roi_rate=0")
    field = page.get_by_label("Up-front cost (USD)", exact=True)
    field.fill("15000")
    field.press("Enter")

    expect(metric(page, "Payback").first).to_have_text("4.0 months")
    one.settle()
    expect(page).to_have_url(re.compile("roi_migration=15000"))

    other = visit(dark=True)
    copy = other.open(page.url.removeprefix(one.base))
    expect(metric(copy, "Payback").first).to_have_text("4.0 months")
    expect(copy.get_by_text("Paid back after 4.0 months")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_article_s_example_is_one_click_and_its_roi_is_refused(visit: OpenVisit, width: int) -> None:
    one = visit(width=width)
    page = one.open("/roi")
    page.get_by_role("button", name="The article's example").click()

    expect(metric(page, "Saving per month")).to_have_text("$3.72K")
    expect(metric(page, "Payback").first).to_have_text("at once")
    # What is wrong in it opens where the reader looks.
    expect(page.get_by_text("The article's ROI of 153,972%, checked")).to_be_in_viewport()
    expect(page.get_by_role("expander", name="checked")).to_have_count(0)
    one.settle()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)


def test_what_was_typed_stays_while_its_field_is_folded_away(visit: OpenVisit) -> None:
    """In the browser a hidden widget's value would fall back to its first one with the second rerun."""
    one = visit()
    page = one.open("/roi?roi_source=own")
    own, migration = (
        page.get_by_label("Today per month (USD)", exact=True),
        page.get_by_label("Up-front cost (USD)", exact=True),
    )
    own.fill("7777")
    own.press("Enter")
    expect(page).to_have_url(re.compile("roi_now=7777"))
    page.get_by_text("Catalog prices", exact=True).click()
    expect(own).to_have_count(0)
    for usd in ("9000", "9001"):
        migration.fill(usd)
        migration.press("Enter")
        expect(page).to_have_url(re.compile(f"roi_migration={usd}"))
    page.get_by_text("Own figures", exact=True).click()

    expect(own).to_have_value("7777.00")


def test_a_number_typed_before_leaving_by_a_link_is_kept(visit: OpenVisit) -> None:
    one = visit()
    page = one.open("/roi?roi_source=own")
    page.get_by_label("Today per month (USD)", exact=True).fill("777")
    page.get_by_role("link", name="Spend", exact=True).first.click()
    expect(page).to_have_url(re.compile("/spend"))
    one.settle()
    page.get_by_role("link", name="ROI", exact=True).first.click()

    expect(page.get_by_label("Today per month (USD)", exact=True)).to_have_value("777.00")


def test_the_cash_flow_leaves_as_csv_and_as_a_printable_report(visit: OpenVisit) -> None:
    one = visit()
    page = one.open("/roi?roi_source=own&roi_rate=0&cur=KRW&fx=1000")
    field = page.get_by_label(re.compile("^Up-front cost"))
    field.fill("7500")
    field.press("Enter")
    expect(metric(page, "Payback").first).to_have_text("2.0 months")
    one.settle()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV", exact=True).click()
    rows = list(csv.reader(io.StringIO(Path(saved.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(rows) == 1 + 13
    assert rows[0][6] == "Running sum (₩)"
    assert [float(row[6]) for row in rows[1:4]] == [-7_500_000, -3_750_000, 0]

    with page.expect_download() as saved:
        page.get_by_role("button", name="Report for printing").click()
    report = Path(saved.value.path()).read_text(encoding="utf-8")
    assert "Paid back after 2.0 months" in report
    assert "roi_migration=7500" in report
    assert "1 USD = 1,000 KRW" in report


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", ("Made on ", "discounted by month", "genai-prices", "2026-", "days)", "1 USD = 1,400 KRW (Nov 20, 2026)")),
        ("?lang=ko&cur=KRW&months=60", ("작성.", "말일 기준", "genai-prices", "2026-", "일 전)", "1 USD = 1,400 KRW")),
        ("?roi_to=rent", ("Staff", "Cold starts", "Level of requests, spread")),
    ],
    ids=["en", "ko", "rent"],
)
def test_the_report_can_be_signed(visit: OpenVisit, tmp_path: Path, query: str, words: tuple[str, ...]) -> None:
    """Date, conventions, prices with source and age, exchange rate and a chart, on two pages at most."""
    one = visit()
    page = one.open(f"/roi{query}")
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    one.settle()
    with page.expect_download() as saved:
        page.get_by_role("button", name=re.compile("Report for printing|인쇄용 보고서")).click()
    saved.value.save_as(tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text(encoding="utf-8")

    assert [word for word in words if word not in report] == []
    assert report.count("<svg") == 1
    assert re.findall(r"(?:src|@import|url\()", report) == []
    paper = page.context.new_page()
    paper.goto((tmp_path / "report.html").as_uri())
    assert not paper.evaluate("[...document.querySelectorAll('.scroll')].some(e => e.scrollWidth > e.clientWidth)")
    assert len(re.findall(rb"/Type\s*/Page\b", paper.pdf(prefer_css_page_size=True))) <= 2


def test_a_typed_number_that_cannot_be_used_is_answered_below_its_field(visit: OpenVisit) -> None:
    one = visit()
    page = one.open("/roi?v=1&roi_source=own")
    for label, typed, used, sentence in (
        ("Up-front cost (USD)", "-500", "0.00", "-500 is too small, so 0 is used."),
        ("Up-front cost (USD)", "-7", "0.00", "-7 is too small, so 0 is used."),
        ("Discount rate (%/yr)", "-100", "-99.00", "-100 is too small, so -99 is used."),
    ):
        field = page.get_by_label(label, exact=True)
        field.fill(typed)
        field.press("Enter")
        expect(page.get_by_text(f"{label}: {sentence}")).to_be_visible()
        expect(field).to_have_value(used)
    expect(page.get_by_test_id("stAlert")).to_have_count(2)
    expect(metric(page, "Payback").first).to_have_text("at once")


@pytest.mark.parametrize(
    "path", ["/roi", "/roi?roi_to=rent", "/roi?roi_source=own&roi_migration=1", "/rent-or-call", "/"]
)
@pytest.mark.parametrize("lang", ["en-US", "ko-KR"])
def test_no_figure_is_cut_on_a_phone(visit: OpenVisit, path: str, lang: str) -> None:
    one = visit(width=390, lang=lang)
    page = one.open(f"{path}{'&' if '?' in path else '?'}cur=KRW&req=3000000")
    expect(page.get_by_test_id("stMetric").first).to_be_visible()
    one.settle()

    cut = """[...document.querySelectorAll('[data-testid=stMetric] *')]
        .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'hidden')
        .map(e => e.innerText)"""
    assert page.evaluate(cut) == []
    if lang == "ko-KR":
        assert page.locator("h1").first.evaluate("e => getComputedStyle(e).wordBreak") == "keep-all"


@pytest.mark.parametrize(
    ("width", "lang", "dark"), [(1440, "en-US", False), (1440, "ko-KR", True), (390, "ko-KR", False)]
)
def test_the_page_is_readable_for_everybody(visit: OpenVisit, width: int, lang: str, dark: bool) -> None:
    one = visit(width=width, lang=lang, dark=dark)
    page = one.open("/roi")
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "바꾸면 이득인가?" if lang == "ko-KR" else "Does switching pay off?"
    )

    assert one.axe() == []
    assert not one.has_sideways_scroll()


def test_a_hostile_link_is_answered_in_words(visit: OpenVisit) -> None:
    one = visit()
    page = one.open("/roi?roi_rate=-100&roi_from=%3Cscript%3E&roi_migration=1e400")

    expect(page.get_by_text("Discount rate (%/yr): -100 is too small")).to_be_visible()
    expect(metric(page, "Payback").first).not_to_have_text("–")
