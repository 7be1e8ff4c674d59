"""Can a visitor find, price, share and save a GPU offer in a real browser?"""

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


def test_a_filter_and_a_currency_are_in_the_link_and_the_link_opens_elsewhere(visit: OpenVisit) -> None:
    one = visit()
    page = one.open("/gpu-clouds")
    expect(metric(page, "Cheapest GPU-hour")).to_have_text("$1.88")
    page.get_by_text("Korea and nearby only").click()
    expect(page).to_have_url(re.compile("gc_korea=1"))
    expect(metric(page, "Cheapest GPU-hour")).not_to_have_text("$1.88")
    one.settle()
    page.get_by_role("radio", name="₩").click()
    one.settle()
    expect(metric(page, "Cheapest GPU-hour")).to_have_text(re.compile("₩"))
    one.settle()
    shown = metric(page, "Cheapest GPU-hour").inner_text()

    other = visit(dark=True)
    copy = other.open(page.url.removeprefix(one.base))

    expect(metric(copy, "Cheapest GPU-hour")).to_have_text(shown)


def test_the_offer_of_a_cell_is_billed_and_stays_in_the_link(visit: OpenVisit) -> None:
    one = visit()
    page = one.open("/gpu-clouds")
    table = page.locator(".st-key-gc_table .dvn-scroller")
    table.scroll_into_view_if_needed()
    bill = page.get_by_role("heading", name="Monthly bill")
    first = bill.inner_text()

    table.click(position={"x": 300, "y": 35 * 2 + 17})

    expect(page).to_have_url(re.compile("gc_offer="))
    expect(bill).not_to_have_text(first)
    one.settle()
    copy = visit().open(page.url.removeprefix(one.base))
    expect(copy.get_by_role("heading", name="Monthly bill")).to_have_text(bill.inner_text())


def test_the_offers_leave_as_a_csv_that_excel_reads_in_korean(visit: OpenVisit) -> None:
    one = visit(lang="ko-KR")
    page = one.open("/gpu-clouds?gc_gpu=L4")
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV 다운로드", exact=True).click()
    content = Path(saved.value.path()).read_bytes()

    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert content.startswith(b"\xef\xbb\xbf")
    assert rows[0][0] == "공급사"
    assert len(rows) > 50
    assert {row[1].split()[0] for row in rows[1:]} == {"L4"}


@pytest.mark.parametrize(
    ("width", "lang", "dark"), [(1440, "en-US", False), (1440, "ko-KR", True), (390, "ko-KR", False)]
)
def test_the_page_is_readable_for_everybody(visit: OpenVisit, width: int, lang: str, dark: bool) -> None:
    one = visit(width=width, lang=lang, dark=dark)
    page = one.open("/gpu-clouds")
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    one.settle()

    assert one.axe() == []
    assert not one.has_sideways_scroll()
