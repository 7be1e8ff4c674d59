"""Which models suit a kind of task, and which of them is cheapest for this request?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import streamlit as st

from core.catalog.llm_article import task_picks
from core.costs.tokens import TokenUsage
from core.gateway import ChatRequest, RankedTarget, Target, Usage, cheapest_first
from core.money import usd_from_pico
from pages.parts import widgets
from pages.parts.playground_inputs import CHAIN, DEFAULT_MAX_TOKENS, MAX_CHAIN, Choice
from pages.parts.playground_money import cost_pico_usd
from pages.parts.playground_text import estimated_input
from pages.parts.state import fmt, tr

TASK, _SET = "playground_task", "_playground_task_chain"
MAX_SUITED = 3
_WORD = re.compile(r"[a-z]{3,}")


def family(model: str) -> frozenset[str]:
    """The words of a model's name, without seller, version and date: those of "claude-sonnet-4-5" are claude, sonnet.

    A successor, a dated copy or the same model at another seller has the same; a smaller one (mini, lite) has not.
    """
    return frozenset(_WORD.findall(model.rpartition("/")[2].lower()))


def suited(task: str, known: Mapping[str, Choice]) -> list[Target]:
    """Models of the family of the task's pick; simulated ones only while no real one can be called."""
    wanted = family(task_picks().get(task, ""))
    found = [one for one in known.values() if family(one.model) == wanted]
    real = [one for one in found if not one.is_simulated]
    return [one.target for one in real or found]


def ranked(task: str, known: Mapping[str, Choice], asked: ChatRequest) -> list[RankedTarget]:
    """What is tried for a task: the models suited to it, cheapest first, then those of the other tasks likewise."""
    usage = Usage(
        input_tokens=estimated_input(asked.turns), output_tokens=asked.max_output_tokens or DEFAULT_MAX_TOKENS,
        source="estimate",
    )  # fmt: skip
    by_target = {one.target: one for one in known.values()}

    def price(target: Target, usage: Usage) -> int | None:
        tokens = TokenUsage(input_tokens=usage.input_tokens or 0, output_tokens=usage.output_tokens or 0)
        return cost_pico_usd(by_target[target], tokens)

    first = suited(task, known)
    # A real answer is never replaced by a simulated one.
    is_real = bool(first) and not by_target[first[0]].is_simulated
    left = {name: one for name, one in known.items() if not (is_real and one.is_simulated)}
    others = [target for other in task_picks() if other != task for target in suited(other, left)]
    allowed = {"first": first, "others": [target for target in others if target not in first]}
    found: list[RankedTarget] = []
    for name, most in (("first", MAX_SUITED), ("others", MAX_CHAIN - MAX_SUITED)):
        if allowed[name]:
            found += cheapest_first(name, allowed, price=price, usage=usage)[:most]
    return found


def draw(known: Mapping[str, Choice], asked: ChatRequest) -> None:
    """The choice of a task, which sets the chain, and what a call costs at each of its models at most."""
    if st.session_state.get(TASK) and st.session_state.get(CHAIN) != st.session_state.get(_SET):
        # The chain was changed by hand: it is no longer the task's.
        st.session_state[TASK] = None
    labels = {task: tr(f"model_prices.task_{task}") for task in task_picks()}
    task = st.segmented_control(
        tr("playground.task"), list(labels), key=TASK, format_func=labels.__getitem__, help=tr("playground.task_help"),
        on_change=_choose, args=(known, asked),
    )  # fmt: skip
    if task:
        st.caption(_costs(ranked(task, known, asked), known))


def _choose(known: Mapping[str, Choice], asked: ChatRequest) -> None:
    task = st.session_state.get(TASK)
    if not task:
        return
    names = {one.target: name for name, one in known.items()}
    chain = [names[one.target] for one in ranked(task, known, asked)]
    if chain:
        st.session_state[CHAIN] = chain
        st.session_state[_SET] = list(chain)


def _costs(found: Sequence[RankedTarget], known: Mapping[str, Choice]) -> str:
    labels = {one.target: one.label for one in known.values()}
    parts = []
    for one in found:
        cost = tr("playground.cost_unknown") if one.pico_usd is None else fmt().money(usd_from_pico(one.pico_usd))
        parts.append(f"{widgets.plain(labels[one.target])} {widgets.plain(cost)}")
    return f"{tr('playground.task_costs')} " + " → ".join(parts)
