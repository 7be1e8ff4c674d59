"""Do keys stay hidden, forbidden addresses out, and limits sensible?"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateway import Policy, user_base_url
from core.gateway.dialects.shape import blocked
from core.gateway.endpoints import is_forbidden_address
from core.gateway.errors import BaseUrlError
from core.gateway.hearing import Hearing
from core.gateway.redact import HIDDEN, PLACEHOLDERS, Redactor


@pytest.mark.parametrize("key", ["secret1", "ab12", "hunter22", "sk-0123456789", "my-secret-word", "31415926"])
def test_a_key_of_any_length_is_hidden(key: str) -> None:
    redactor = Redactor([key])

    assert redactor.hide(f"the key {key} is odd") == f"the key {HIDDEN} is odd"
    assert redactor.hide_in_answer(f"the key {key} is odd") == f"the key {HIDDEN} is odd"


LONG = "sk-proj-AAAABBBBCCCCDDDD"  # invented for this test


@pytest.mark.parametrize(
    "part", [LONG[-12:], f"x{LONG[-12:]}", LONG[4:18], LONG[:9], LONG.upper()[5:20], f"...{LONG[-12:]}"]
)
def test_a_part_of_a_key_is_hidden_wherever_it_stands_in_it(part: str) -> None:
    shown = Redactor([LONG]).hide(f"you sent {part}, friend")

    assert shown == f"you sent {HIDDEN}, friend"


def test_words_that_a_key_shares_with_others_are_shown() -> None:
    text = "deepseek-chat of demo-deepseek costs 5 dollars"

    assert Redactor(["demo-key-of-nobody.deepseek", "sk-1"]).hide(text) == text


@pytest.mark.parametrize("before", ["", "x" * 290, " " * 4_290, "a " * 10_000, "x" * 4_295])
def test_a_text_is_cut_before_it_is_searched_and_no_key_with_it(before: str) -> None:
    shown = Redactor([LONG, "hunter2"]).hide(f"{before}{LONG}{before}hunter2{before}")

    assert len(shown) <= 300
    assert not {LONG[:9], LONG[-9:], "hunter"} & set(shown.split())
    assert LONG[:9] not in shown


@pytest.mark.parametrize("word", [*sorted(PLACEHOLDERS), "EMPTY", "LM-Studio", "1234", "000000", "k", "key", ""])
def test_what_only_stands_for_a_key_is_an_ordinary_word(word: str) -> None:
    assert Redactor([word]).hide_in_answer(f"a {word} b") == f"a {word} b"


@pytest.mark.parametrize("reason", ["AIzaSyABCDEFGHIJ1234567890abcdefg", "sk_live_1234", "", None, 7, "A" * 41])
def test_a_reason_that_may_be_a_key_is_not_shown(reason: object) -> None:
    assert "reason: unnamed" in str(blocked(reason))


def test_a_reason_in_capitals_is_shown() -> None:
    assert "reason: PROHIBITED_CONTENT" in str(blocked("PROHIBITED_CONTENT"))


@given(text=st.text(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=6))
def test_wherever_an_answer_is_cut_it_says_the_same(text: str, cuts: list[int]) -> None:
    key = "kkey-key1"
    whole = f"a{text}{key}{text}{key[:4]}"
    redactor = Redactor([key])
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})

    async def ignore(_event: object) -> None:
        return

    async def heard(pieces: list[str]) -> str:
        hearing = Hearing(redactor=redactor, emit=ignore)
        for piece in pieces:
            await hearing._take_text(piece)
        await hearing.finish_text()
        return "".join(hearing.text)

    def run(pieces: list[str]) -> str:
        coroutine = heard(pieces)
        try:
            coroutine.send(None)
        except StopIteration as end:
            return str(end.value)
        raise AssertionError("it never waits")

    pieces = [whole[one:two] for one, two in pairwise(places)]
    assert run(pieces) == run([whole])
    assert key not in run(pieces)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "::a9fe:a9fe",
     "2002:a9fe:a9fe::1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "64:ff9b::6464:64c8", "0.0.0.0", "::", "ff02::1",
     "no address"],
)  # fmt: skip
def test_addresses_of_the_own_network_are_forbidden(address: str) -> None:
    assert is_forbidden_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.5", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_other_addresses_are_not(address: str) -> None:
    assert not is_forbidden_address(address)


@pytest.mark.parametrize("url", ["http://[64:ff9b::a9fe:a9fe]/v1", "http://[::a9fe:a9fe]/", "http://2852039166/"])
def test_a_typed_address_with_another_inside_is_refused(url: str) -> None:
    with pytest.raises(BaseUrlError):
        user_base_url(url, is_allowed=True)


@pytest.mark.parametrize(("field", "wanted"), [("backoff_base_s", "from 0 on"), ("deadline_s", "above 0")])
def test_a_limit_that_cannot_be_says_what_can(field: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        Policy(**{field: -1.0})  # type: ignore[arg-type]
    if wanted == "from 0 on":
        assert getattr(Policy(**{field: 0.0}), field) == 0  # type: ignore[arg-type]


def test_tightening_the_first_token_tightens_it_for_reasoning_models() -> None:
    assert Policy().token_timeout_s(is_reasoning=True) == Policy().reasoning_first_token_timeout_s
    assert Policy(first_token_timeout_s=5).token_timeout_s(is_reasoning=True) == 5
    tuned = Policy(first_token_timeout_s=5, reasoning_first_token_timeout_s=30)
    assert tuned.token_timeout_s(is_reasoning=True) == 30
