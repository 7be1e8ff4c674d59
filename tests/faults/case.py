"""What is one case of a fault, and how is it written down?

`then` is what a caller with a healthy second target sees: "next" the other target's answer, "stop" the error at once,
"ok" the first target's own answer, "partial" its text, kept and marked. `kinds` are the allowed kinds of the error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tests.faults.upstream import Script

Then = Literal["next", "stop", "ok", "partial"]
BOTH = (False, True)
WHOLE = (False,)
STREAM = (True,)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault; `streamed` names the modes it is tried in."""

    name: str
    group: str
    script: Script
    then: Then
    kinds: tuple[str, ...] = ()
    streamed: tuple[bool, ...] = BOTH
    dialect: str = "openai"
    text: str | None = None
    retry_after_s: float | None = None
    usage: dict[str, int | None] | None = field(default=None)
    is_usage_unknown: bool = False
    is_lower_bound: bool | None = None
    reasoning: str | None = None


def case_of(group: str, name: str, script: Script, then: Then, *kinds: str, **more: Any) -> Case:
    return Case(name=f"{group}-{name}".replace(" ", "_"), group=group, script=script, then=then, kinds=kinds, **more)
