"""How do the gateway's attempts and calls become rows of the log?

    log = UsageLog(engine)
    gateway = Gateway(endpoints, on_attempt=log.record, on_call=log.record)

Give it both: attempts carry the cost per endpoint and model, calls what a user asked for and got.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Engine

from core.gateway.chat import Attempt, CallRecord, Usage
from core.gateway.demo_control import ENDPOINT_PREFIX
from core.usage.entries import THE_CALL, TOKENS, CostBasis, Entry, Origin
from core.usage.log import EntryLog

DEMO_PREFIX = ENDPOINT_PREFIX
"""Endpoints whose name starts so are simulated; their figures are kept apart from real ones."""

PROMPT_MAX_CHARS = 100_000
_REMEMBERED_CALLS = 10_000


class UsageLog(EntryLog[Attempt | CallRecord]):
    """Keeps the gateway's attempts and calls; prompts only when `keep_prompts` is on, keys and answers never."""

    def __init__(
        self,
        engine: Engine,
        *,
        keep_prompts: bool = False,
        linger_s: float = 0.1,
        retry_after_s: float = 2.0,
        max_waiting: int = 10_000,
    ) -> None:
        super().__init__(engine, self._rows, linger_s=linger_s, retry_after_s=retry_after_s, max_waiting=max_waiting)
        self._keep_prompts = keep_prompts
        self._attempts_seen: OrderedDict[str, set[int]] = OrderedDict()

    def _rows(self, item: Attempt | CallRecord) -> Sequence[Entry]:
        """The rows of one record. A call brings those of its attempts along that were not recorded by themselves."""
        if isinstance(item, Attempt):
            self._attempts_seen.setdefault(item.call_id, set()).add(item.attempt_number)
            if len(self._attempts_seen) > _REMEMBERED_CALLS:
                self._attempts_seen.popitem(last=False)
            return [attempt_entry(item)]
        seen = self._attempts_seen.pop(item.call_id, set())
        missing = [attempt_entry(one) for one in item.attempts if one.attempt_number not in seen]
        return [*missing, call_entry(item, keep_prompt=self._keep_prompts)]


def attempt_entry(attempt: Attempt) -> Entry:
    """The log's row of one attempt."""
    return Entry(
        call_id=attempt.call_id,
        attempt_number=attempt.attempt_number,
        started_ms=int(attempt.started_at.timestamp() * 1_000),
        outcome=attempt.outcome,
        origin=_origin(attempt.endpoint),
        provider_id=attempt.provider_id,
        endpoint=attempt.endpoint,
        model_asked=attempt.model_asked,
        model_reported=attempt.model_reported or "",
        error_kind=attempt.error_kind,
        status_code=attempt.status_code,
        pico_usd=attempt.pico_usd,
        cost_basis=_cost_basis(attempt.pico_usd),
        is_lower_bound=attempt.is_lower_bound,
        ttft_ms=_whole(attempt.ttft_ms),
        latency_ms=_whole(attempt.latency_ms),
        usage_basis=attempt.usage.source if attempt.usage else "unknown",
        **_tokens([attempt.usage] if attempt.usage else []),
    )


def call_entry(call: CallRecord, *, keep_prompt: bool = False) -> Entry:
    """The log's row of one whole call: the first model asked for, the last one tried, the sums of all attempts."""
    first, last = (call.attempts[0], call.attempts[-1]) if call.attempts else (None, None)
    usages = [attempt.usage for attempt in call.attempts if attempt.usage]
    return Entry(
        call_id=call.call_id,
        attempt_number=THE_CALL,
        started_ms=int(call.started_at.timestamp() * 1_000),
        outcome=call.outcome,
        origin=_origin(last.endpoint if last else ""),
        provider_id=last.provider_id if last else "",
        endpoint=last.endpoint if last else "",
        model_asked=first.model_asked if first else "",
        model_reported=(last.model_reported if last else None) or "",
        error_kind=call.error_kind,
        status_code=last.status_code if last else None,
        attempt_count=len(call.attempts),
        failover_count=_failovers(call.attempts),
        pico_usd=call.pico_usd,
        cost_basis=_cost_basis(call.pico_usd),
        is_lower_bound=call.is_lower_bound,
        ttft_ms=_whole(call.ttft_ms),
        latency_ms=_whole(call.latency_ms),
        usage_basis=usages[-1].source if usages else "unknown",
        prompt_text=_prompt(call) if keep_prompt else None,
        **_tokens(usages),
    )


def _failovers(attempts: Sequence[Attempt]) -> int:
    """How often the call went on at another endpoint or model."""
    targets = [(attempt.endpoint, attempt.model_asked) for attempt in attempts]
    return sum(before != after for before, after in pairwise(targets))


def _tokens(usages: Iterable[Usage]) -> dict[str, Any]:
    """Sums over the attempts that said something; None where none did."""
    sums: dict[str, int | None] = dict.fromkeys(TOKENS)
    for usage in usages:
        for name in TOKENS:
            value = getattr(usage, name)
            if value is not None:
                sums[name] = (sums[name] or 0) + value
    return sums


def _origin(endpoint: str) -> Origin:
    return "demo" if endpoint.startswith(DEMO_PREFIX) else "gateway"


def _cost_basis(pico_usd: int | None) -> CostBasis:
    return "unknown" if pico_usd is None else "computed"


def _whole(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else max(0, round(milliseconds))


def _prompt(call: CallRecord) -> str:
    text = "\n\n".join(f"{turn.role}: {turn.content}" for turn in call.request.turns)[:PROMPT_MAX_CHARS]
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")
