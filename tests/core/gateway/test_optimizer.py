"""The cheapest allowed model comes first, and those without a price come last with the reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateway import (
    ChatRequest,
    Endpoint,
    Gateway,
    RankedTarget,
    Target,
    Usage,
    cheapest_first,
    estimate_usage,
)
from core.gateway.errors import ConfigurationError, UnknownModelError
from tests.faults.upstream import GOOD_TEXT, HostileUpstream, http

A, B, C = (Target(endpoint="one", model=name) for name in "abc")
USAGE = Usage(input_tokens=100, output_tokens=50, source="estimate")
ALLOWED = {"balanced": [A, B, C], "code_heavy": [B], "nothing": []}


def ranked(costs: dict[str, object]) -> list[tuple[str, int | None, str]]:
    def price(target: Target, usage: Usage) -> int | None:
        assert usage is USAGE
        found = costs[target.model]
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[return-value]  # wrong ones on purpose

    found = cheapest_first("balanced", ALLOWED, price=price, usage=USAGE)
    return [(one.target.model, one.pico_usd, one.reason) for one in found]


def test_the_cheapest_comes_first() -> None:
    assert ranked({"a": 30, "b": 10, "c": 20}) == [("b", 10, ""), ("c", 20, ""), ("a", 30, "")]


def test_equal_ones_keep_their_order_and_free_is_cheapest() -> None:
    assert [name for name, _, _ in ranked({"a": 7, "b": 7, "c": 0})] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("cost", "reason"),
    [(None, "no_price"), (-1, "no_price"), (1.5, "no_price"), (True, "no_price"), (KeyError("x"), "price_failed")],
)
def test_without_a_price_comes_last_with_the_reason(cost: object, reason: str) -> None:
    assert ranked({"a": cost, "b": 10, "c": 20}) == [("b", 10, ""), ("c", 20, ""), ("a", None, reason)]


@pytest.mark.parametrize("task", ["balancd", "nothing", ""])
def test_a_task_nothing_is_allowed_for_is_refused(task: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cheapest_first(task, ALLOWED, price=lambda *_: 1, usage=USAGE)

    assert caught.value.suggestions == (("balanced",) if task == "balancd" else ())


@given(costs=st.lists(st.none() | st.integers(0, 10**15), min_size=1, max_size=8))
def test_nothing_is_lost_and_costs_never_fall(costs: list[int | None]) -> None:
    targets = {Target(endpoint="one", model=f"m{place}"): cost for place, cost in enumerate(costs)}
    found = cheapest_first("t", {"t": [*targets, *targets]}, price=lambda target, _: targets[target], usage=USAGE)
    known = [one.pico_usd for one in found if one.pico_usd is not None]

    assert {one.target for one in found} == set(targets)
    assert len(found) == len(targets)
    assert known == sorted(known)
    assert all(one.pico_usd is None for one in found[len(known) :])


def _by_model(_endpoint: Endpoint, model: str, usage: Usage, _at: object) -> int | None:
    each = {"cheap": 1, "dear": 9, "o3": 3}.get(model)
    return None if each is None else each * (usage.output_tokens or 0)


def test_a_gateway_ranks_by_its_own_prices_and_chat_falls_back_along_them() -> None:
    ask = ChatRequest(messages=[{"role": "user", "content": "Hi"}], task="fast")
    with HostileUpstream({"down": http(503, "no")}) as upstream:
        endpoints = [
            Endpoint(name="down", base_url=upstream.url("down"), api_key="key-1-123456"),
            Endpoint(name="good", base_url=upstream.url("good"), api_key="key-2-123456"),
        ]
        allowed = {
            "fast": [
                Target(endpoint="good", model="unknown"), Target(endpoint="good", model="o3"),
                Target(endpoint="good", model="dear"), Target(endpoint="down", model="cheap"),
            ]
        }  # fmt: skip
        with Gateway(endpoints, price=_by_model) as gateway:
            found = gateway.cheapest_first(ask, allowed)
            reply = gateway.chat(ask, [one.target for one in found])

    # A model that thinks first is taken to write four times as much.
    assert [one.target.model for one in found] == ["cheap", "dear", "o3", "unknown"]
    assert found[-1] == RankedTarget(target=allowed["fast"][0], pico_usd=None, reason="no_price")
    assert found[0].pico_usd == estimate_usage(ask).output_tokens
    assert [one.model_asked for one in reply.attempts] == ["cheap", "dear"]
    assert reply.text == GOOD_TEXT


def test_a_gateway_refuses_a_model_its_endpoint_does_not_have() -> None:
    endpoint = Endpoint(name="one", base_url="http://127.0.0.1:9/v1", models=("a",))
    ask = ChatRequest(messages=[{"role": "user", "content": "Hi"}], task="balanced")
    with Gateway([endpoint], price=_by_model) as gateway, pytest.raises(UnknownModelError):
        gateway.cheapest_first(ask, ALLOWED)
