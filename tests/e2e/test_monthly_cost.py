"""A visitor moves a slider, saves the plan, opens the link elsewhere and takes the report away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenVisit

pytestmark = pytest.mark.browser


def metric(page: Page, place: int) -> str:
    return page.get_by_test_id("stMetricValue").nth(place).inner_text()


def test_a_plan_is_moved_saved_shared_and_printed(visit: OpenVisit, tmp_path: Path) -> None:
    one = visit()
    page = one.open("/monthly-cost?monthly_cost_view=saved")
    expect(page.locator(".js-plotly-plot .scatterlayer").first).to_be_visible()
    delta = page.get_by_test_id("stMetricDelta").first
    before = delta.inner_text()

    slider = page.locator(".st-key-wl_growth_per_month_slider input[type=range]")
    slider.focus()
    for percent in range(1, 6):
        slider.press("ArrowRight")
        expect(page).to_have_url(re.compile(f"grow=0.0{percent}"))
    expect(delta).not_to_have_text(before)
    one.settle()

    page.get_by_label("Name of this plan").fill("Growth plan")
    page.get_by_label("Name of this plan").press("Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved: Growth plan")).to_be_visible()
    one.settle()
    moved = [metric(page, place) for place in range(4)]

    other = visit(dark=True)
    again = other.open(page.url.removeprefix(one.base))
    expect(again.get_by_test_id("stMetricValue")).to_have_count(4)
    assert [metric(again, place) for place in range(4)] == moved

    with again.expect_download() as download:
        again.get_by_role("button", name="Report (HTML)").click()
    download.value.save_as(tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert report.count("<svg") == 2
    link = re.search(r'<a href="[^"]*grow=0.05[^"]*">[^<]*</a>', report)
    assert link
    assert "http" not in report.replace("http-equiv", "").replace(link[0], "")  # nothing is loaded
    assert moved[0].split()[0].lstrip("$") in report


def test_what_a_slider_moves_is_also_in_the_strip_the_files_and_the_views(visit: OpenVisit, tmp_path: Path) -> None:
    one = visit()
    page = one.open("/monthly-cost")
    expect(page.locator(".js-plotly-plot .scatterlayer").first).to_be_visible()
    slider = page.locator(".st-key-wl_growth_per_month_slider input[type=range]")
    slider.focus()
    slider.press("ArrowRight")
    expect(page).to_have_url(re.compile("grow=0.01"))
    expect(page.locator(".st-key-wl_bar")).to_contain_text("+1%/mo")
    expect(page.get_by_role("spinbutton", name="Growth per month")).to_have_value("1")

    page.get_by_text("Month by month", exact=True).click()
    one.settle()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "months.csv")
    assert ",50500" in (tmp_path / "months.csv").read_text(encoding="utf-8-sig").splitlines()[2].replace(".0", "")

    page.get_by_text("Running total", exact=True).click()
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2)
    slider.focus()
    slider.press("ArrowRight")
    expect(page).to_have_url(re.compile("grow=0.02"))
    expect(page.locator(".st-key-wl_bar")).to_contain_text("+2%/mo")
    page.get_by_role("link", name="ROI").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Does switching pay off?")
    expect(page.locator(".st-key-wl_bar")).to_contain_text("+2%/mo")


def test_a_field_left_for_another_page_takes_its_value_along(visit: OpenVisit) -> None:
    """Its rerun is asked for while the next page opens."""
    one = visit()
    page = one.open("/monthly-cost")
    for percent in (3, 4, 5):
        page.get_by_role("spinbutton", name="Growth per month").fill(str(percent))
        page.get_by_role("link", name="ROI").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Does switching pay off?")
        expect(page.locator(".st-key-wl_bar")).to_contain_text(f"+{percent}%/mo")
        one.settle()
        page.get_by_role("link", name="Monthly cost").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("What will it cost each month?")
        one.settle()


def test_the_page_fits_a_phone_in_korean(visit: OpenVisit) -> None:
    one = visit(width=390, height=844, lang="ko-KR")
    page = one.open("/monthly-cost?lang=ko&grow=0.05&budget=100&req=200000")

    expect(page.get_by_role("heading", level=1)).to_have_text("매달 얼마가 드나?")
    expect(page.locator(".js-plotly-plot .scatterlayer").first).to_be_visible()
    assert not one.has_sideways_scroll()


def test_the_page_has_no_accessibility_fault(visit: OpenVisit) -> None:
    one = visit()
    page = one.open("/monthly-cost?budget=500")
    expect(page.locator(".js-plotly-plot .scatterlayer").first).to_be_visible()
    one.settle()

    assert one.axe() == []


def test_another_language_changes_no_value(visit: OpenVisit) -> None:
    """In the browser a widget with another label is a new one, which begins at its lowest value."""
    one = visit()
    page = one.open("/monthly-cost?req=123456")
    growth = page.get_by_label("Growth per month (%)", exact=True).and_(page.get_by_role("spinbutton"))
    for percent in ("3", "4", "5", "6"):
        growth.fill(percent)
        growth.press("Enter")
        expect(page).to_have_url(re.compile(f"grow=0.0{percent}"))
    for lang, title in (("KO", "매달 얼마가 드나?"), ("EN", "What will it cost each month?")) * 2:
        page.get_by_text(lang, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        one.settle()

    expect(page).to_have_url(re.compile("req=123456"))
    expect(page).to_have_url(re.compile("grow=0.06"))
