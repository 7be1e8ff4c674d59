"""Can a visitor compare models, share the comparison, store a price of their own, and read it on a phone?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenVisit

pytestmark = pytest.mark.browser

# The contrast (WCAG) between an element's text and its own background, both as they are painted.
CONTRAST = """element => {
  const paint = document.createElement("canvas").getContext("2d");
  const light = colour => {
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...paint.getImageData(0, 0, 1, 1).data].map(
      part => part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const style = getComputedStyle(element);
  const [low, high] = [light(style.color), light(style.backgroundColor)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""

IS_ON_TOP = """element => {
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return element.contains(top);
}"""


def test_a_comparison_is_shared_by_its_address(visit: OpenVisit) -> None:
    first = visit()
    page = first.open("/model-prices?req=1000000")
    expect(page.get_by_role("heading", name="What does each model cost for this workload?")).to_be_visible()
    page.get_by_text("Price history", exact=True).click()
    expect(page.get_by_text("since 2024").first).to_be_visible()
    page.wait_for_url("**mp_view=history**")
    assert "req=1000000" in page.url
    other = visit()
    again = other.open(page.url.removeprefix(first.base))
    expect(again.get_by_text("since 2024").first).to_be_visible()
    expect(again.get_by_text("1M requests/mo").first).to_be_visible()


def test_an_own_price_changes_the_bill_until_it_is_removed(visit: OpenVisit) -> None:
    page = visit().open("/model-prices?mp_view=own&mp_compare=openai/gpt-4.1&req=1000&in=1000000&out=0&insd=0")
    bill = page.get_by_test_id("stMetricValue").first
    expect(bill).to_contain_text("$2K")
    price = page.get_by_label("Input ($/Mtok)", exact=True)
    for text, seen in (("cheap", "is no price"), ("1", "holds from now on")):
        price.fill(text)
        page.get_by_role("button", name="Save").first.click()
        expect(page.get_by_text(seen)).to_be_visible()
    expect(bill).to_contain_text("$1K")
    page.locator(".st-key-mp_drop_price_0 button").click()
    expect(bill).to_contain_text("$2K")


@pytest.mark.parametrize("dark", [False, True])
def test_what_stands_on_the_accent_colour_can_be_read(visit: OpenVisit, dark: bool) -> None:
    one = visit(dark=dark)
    tag = one.open("/model-prices").locator("[data-testid=stMultiSelect] [data-tag]:visible").first
    expect(tag).to_be_visible()
    assert tag.evaluate(CONTRAST) >= 4.5
    button = one.open("/monthly-cost?monthly_cost_view=saved").get_by_test_id("stBaseButton-primary").first
    expect(button).to_be_visible()
    assert button.evaluate(CONTRAST) >= 4.5


def test_the_page_fits_a_phone_in_korean(visit: OpenVisit) -> None:
    one = visit(width=390, height=844, lang="ko-KR")
    page = one.open("/model-prices?lang=ko")
    expect(page.get_by_role("heading", name="이 워크로드에서 모델별 비용은 얼마인가?")).to_be_visible()
    assert not one.has_sideways_scroll()


def test_every_tab_below_the_table_can_be_tapped_on_a_phone(visit: OpenVisit) -> None:
    page = visit(width=390, height=844, touch=True).open("/model-prices?lang=ko")
    names = ("나란히 비교", "가격 이력", "기사의 할인율", "작업별 선택", "직접 입력한 가격", "가격 갱신")
    for name in names:
        tab = page.get_by_text(name, exact=True).first
        tab.scroll_into_view_if_needed()
        assert tab.evaluate(IS_ON_TOP), name


def test_a_downloaded_price_table_bills_until_it_is_undone(visit: OpenVisit, tmp_path: Path) -> None:
    table = tmp_path / "prices.json"
    entry = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06}
    entry |= {"output_cost_per_token": 8e-06, "cache_read_input_token_cost": 5e-07}
    table.write_text(json.dumps({"gpt-4.1": entry}), encoding="utf-8")
    page = visit().open("/model-prices?mp_view=feed&mp_compare=openai/gpt-4.1&req=1000&in=1000000&out=0&insd=0")
    bill = page.get_by_test_id("stMetricValue").first
    expect(bill).to_contain_text("$2K")
    page.locator("input[type=file]").set_input_files(table)
    page.get_by_role("button", name="Take these prices in").click()
    expect(page.get_by_text("Taken in: 3 prices added")).to_be_visible()
    expect(bill).to_contain_text("$2.5K")
    page.get_by_role("button", name="Undo the refresh").click()
    expect(bill).to_contain_text("$2K")
