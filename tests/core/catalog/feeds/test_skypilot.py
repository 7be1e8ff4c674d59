"""SkyPilot's catalog: every trap of the format, on rows made by hand in its shape."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalog.feeds.parsed import FeedError, Parsed
from core.catalog.feeds.skypilot import parse

HEAD = "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone,GpuInfo"


def info(name: str, mib: float, count: int = 1) -> str:
    return (
        f"\"{{'Gpus': [{{'Name': '{name}', 'Manufacturer': null, 'Count': {count}, "
        f"'MemoryInfo': {{'SizeInMiB': {mib}}}}}], 'TotalGpuMemoryInMiB': {mib}}}\""
    )


def read(*rows: str, cloud: str = "acme", head: str = HEAD, newline: str = "\n") -> Parsed:
    return parse(newline.join([head, *rows, ""]).encode(), cloud)


def test_a_row_with_spot_gives_two_offers_per_instance_and_hour() -> None:
    found = read(f"big,H100,8.0,96,768,20.5,8.25,us-east-1,a,{info('H100', 81559, 8)}")

    (listed, text), (spot, _) = found.offers
    assert (listed.gpu_model, listed.gpu_count, listed.micro_usd_per_hour, text) == ("H100-80GB", 8, 20_500_000, "20.5")
    assert (spot.purchase_option, spot.micro_usd_per_hour) == ("spot", 8_250_000)
    assert listed.country == "US"
    assert listed.as_of is None
    assert "undated" in listed.as_of_note


def test_every_row_of_a_file_is_an_offer_passed_over_or_refused() -> None:
    found = read(
        f"g6.xlarge,L4,1,4,16,0.80,0.31,us-east-1,a,{info('L4', 24576)}",
        f"g6.xlarge,L4,1,4,16,0.80,0.29,us-east-1,b,{info('L4', 24576)}",
        f"g6.xlarge,L4,1,4,16,0.98,,ap-northeast-2,a,{info('L4', 24576)}",
        f"p5.48xlarge,H100,8,192,2048,98.3,,us-east-1,a,{info('H100', 81559, 8)}",
        "m7i.large,,,2,8,0.10,0.04,us-east-1,a,",
        "trn1.2xlarge,Trainium,1,8,32,1.34,,us-east-1,a,",
        cloud="aws",
    )

    offers = [(one.instance_type, one.country, one.purchase_option, text) for one, text in found.offers]
    assert offers == [
        ("g6.xlarge", "US", "on_demand", "0.80"), ("g6.xlarge", "US", "spot", "0.29"),
        ("g6.xlarge", "KR", "on_demand", "0.98"), ("p5.48xlarge", "US", "on_demand", "98.3"),
    ]  # fmt: skip
    assert [one.row for one in found.refused] == [7]
    assert found.source.endswith("aws/vms.csv")


def test_columns_are_read_by_name_with_any_line_ending() -> None:
    head = "Region,Price,AcceleratorCount,AcceleratorName,InstanceType"

    found = read("FIN-03,2.0,1,H200,x", head=head, newline="\r\n")

    assert found.offers[0][0].country == "FI"
    assert found.offers[0][0].micro_usd_per_hour == 2_000_000


def test_a_row_per_zone_becomes_one_offer_with_the_cheapest_price() -> None:
    rows = [f"p5,H100,8,96,768,50,{spot},ap-northeast-2,{zone}," for zone, spot in (("a", 30), ("b", 20), ("b", 20))]

    found = read(*rows)

    assert [offer.micro_usd_per_hour for offer, _ in found.offers] == [50_000_000, 20_000_000]
    assert found.offers[0][0].country == "KR"


def test_hosts_without_gpu_are_passed_over_and_a_gpu_without_host_is_refused() -> None:
    found = read("a2-highgpu-1g,,,12,85,0.9,0.4,us-central1,a,", ",A100,1,,,2.9,1.1,us-central1,a,", cloud="gcp")

    assert found.offers == []
    assert "without the machine" in found.refused[0].reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",tpu-v6e-1,1,,,700.0,700.0,asia-east1,c,", "no GPU"),
        ("x,H100,1,8,64,700.0,,us-east-1,a,", "outside"),
        ("x,H100,1,8,64,,,us-east-1,a,", "no price"),
        ("x,H100,1,8,64,cheap,,us-east-1,a,", "could not convert"),
        ("x,H100,0.5,8,64,1,,us-east-1,a,", "whole number"),
        ("x,Riva 128,1,8,64,1,,us-east-1,a,", "no GPU known"),
        ("x,A100,1,8,64,1,,us-east-1,a,", "no GPU known"),
    ],
    ids=["tpu", "sentinel", "no price", "text", "half a gpu", "unknown gpu", "A100 of unknown size"],
)
def test_what_cannot_be_trusted_is_refused_with_its_reason(row: str, reason: str) -> None:
    found = read(row, f"ok,L4,1,8,64,0.8,,us-east-1,a,{info('L4', 24576)}")

    assert len(found.offers) == 1
    assert reason in found.refused[0].reason
    assert found.refused[0].row == 2


def test_a_spot_price_that_is_none_is_dropped() -> None:
    same = read(f"1x_A100-80GB_SECURE,A100-80GB,1.0,8,117,1.39,1.39,JP,AP-JP-1,{info('A100 PCIe', 80)}", cloud="runpod")
    zero = read(f'1x-H100_SXM-32-65536,H100,1,32,64,1.87,0.00,"Texas, US, NA",,{info("H100", 81559)}', cloud="vast")

    assert [offer.purchase_option for offer, _ in same.offers + zero.offers] == ["on_demand", "on_demand"]


def test_gigabytes_in_the_mebibyte_field_and_the_form_in_the_longer_name_are_understood() -> None:
    found = read(f"1x_A100-80GB_SECURE,A100-80GB,1.0,8,117,1.39,,JP,a,{info('A100 PCIe', 80)}", cloud="runpod")

    assert (found.offers[0][0].gpu_model, found.offers[0][0].gpu_form) == ("A100-80GB", "PCIe")


def test_vast_gives_total_memory_and_its_fuller_name_in_the_instance() -> None:
    found = read(
        f'4x-H200-32-65536,H200,4,32,64,10.59,0.00,"France, FR, EU",,{info("H200", 575084, 4)}',
        f'2x-RTX_3060_Ti-32-65536,RTX3060,2,32,64,0.2,0.00,"Japan, JP, AS",,{info("RTX3060", 16384, 2)}',
        f'1x-H100_NVL-32-65536,H100,1,32,64,2.08,0.00,", US, NA",,{info("H100", 95830)}',
        cloud="vast",
    )

    assert [one.gpu_model for one, _ in found.offers] == ["H200", "RTX 3060 Ti", "H100-NVL"]
    assert [one.country for one, _ in found.offers] == ["FR", "JP", "US"]
    assert "median" in found.offers[0][0].basis


def test_a_card_with_twice_its_memory_is_not_the_card_it_names() -> None:
    found = read(
        f'1x-RTX_4090-32-65536,RTX4090,1,32,64,0.5,0.00,"Texas, US, NA",,{info("RTX4090", 49140)}', cloud="vast"
    )

    assert found.offers == []
    assert "not the card" in found.refused[0].reason


def test_a_blank_list_price_leaves_the_spot_offer() -> None:
    as_json = '"{""Gpus"": [{""Name"": ""B200"", ""MemoryInfo"": {""SizeInMiB"": 184320}}]}"'
    row = f"2B200.60V,B200,2.0,60,368,,3.423,FIN-03,,{as_json}"

    (offer, _), *others = read(row, cloud="verda").offers

    assert (offer.purchase_option, others) == ("spot", [])


def test_a_feed_that_names_every_region_confirms_none() -> None:
    rows = [f"gpu_1x_a6000,A6000,1,14,100,0.8,,{region},," for region in ("us-east-1", "asia-south-1", "us-west-1")]

    found = read(*rows, cloud="lambda")

    assert len(found.offers) == 1
    assert (found.offers[0][0].region, found.offers[0][0].region_confirmed) == (None, "list")


def test_two_forms_that_contradict_each_other_leave_the_form_unknown() -> None:
    found = read("a100_SXM4_1x,A100-80G-PCIE,1,14,100,1.2,,us-east-1,,", cloud="spheron")

    assert found.offers[0][0].gpu_form is None


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"<html>busy</html>"])
def test_another_kind_of_file_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(FeedError, match=r"is missing|not UTF-8"):
        parse(content, "aws")


@given(st.lists(st.text(max_size=60), max_size=8))
@settings(max_examples=60, deadline=None)
def test_no_row_breaks_the_parser(rows: list[str]) -> None:
    for offer, _ in read(*rows).offers:
        assert 0.02 <= offer.usd_per_gpu_hour <= 25
