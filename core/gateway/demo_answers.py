"""What does a simulated model say, and how fast? Useful words about the prompt, plainly marked as simulated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.gateway.chat import Message
from core.i18n import HANGUL, t

_PIECE = re.compile(r"\s*\S{1,12}|\s+")
QUOTED_MAX_CHARS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoModel:
    """A simulated model: its real namesake's seller and name, and an invented pace."""

    provider_id: str
    dialect: str
    name: str
    first_token_s: float
    pieces_per_s: float


MODELS: tuple[DemoModel, ...] = (
    DemoModel(provider_id="openai", dialect="openai", name="gpt-4.1", first_token_s=0.45, pieces_per_s=30),
    DemoModel(provider_id="openai", dialect="openai", name="gpt-4o-mini", first_token_s=0.30, pieces_per_s=45),
    DemoModel(
        provider_id="anthropic", dialect="anthropic", name="claude-sonnet-4-5", first_token_s=0.60, pieces_per_s=28
    ),
    DemoModel(provider_id="google", dialect="gemini", name="gemini-2.5-flash", first_token_s=0.25, pieces_per_s=60),
    DemoModel(provider_id="deepseek", dialect="openai", name="deepseek-chat", first_token_s=0.70, pieces_per_s=22),
)
"""The paces differ so that a comparison shows something; they say nothing about the real models."""


def is_korean(text: str) -> bool:
    """Whether a text is to be answered in Korean."""
    return bool(HANGUL.search(text))


def token_count(text: str) -> int:
    """Invented but plausible tokens: about four Latin characters or one and a half Korean syllables each."""
    korean = len(HANGUL.findall(text))
    return max(1, round(korean / 1.5 + (len(text) - korean) / 4)) if text else 0


def pieces(text: str) -> list[str]:
    """The text cut as a model would stream it; joined together it is the text again."""
    return _PIECE.findall(text)


_TOPICS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("code", re.compile(r"\bcode|python|function|quicksort|\bsql\b|javascript|코드|함수|퀵소트|파이썬", re.I)),
    ("cost", re.compile(r"cost|price|budget|cheap|비용|가격|예산|저렴", re.I)),
    ("summary", re.compile(r"summar|shorten|tl;?dr|요약|정리해", re.I)),
    ("translation", re.compile(r"translat|번역", re.I)),
    ("greeting", re.compile(r"^\s*(hi|hello|hey|안녕)", re.I)),
)

_CODE = """```python
def quicksort(items):
    if len(items) < 2:
        return items
    pivot, *rest = items
    return (quicksort([x for x in rest if x < pivot]) + [pivot]
            + quicksort([x for x in rest if x >= pivot]))
```"""


def answer(messages: Sequence[Message], model: str) -> str:
    """The whole simulated answer to a conversation, in the language of its last question."""
    question = next((one.content for one in reversed(messages) if one.role == "user"), "")
    lang = "ko" if is_korean(question) else "en"
    quoted = " ".join(question.split())
    shown = quoted if len(quoted) <= QUOTED_MAX_CHARS else quoted[:QUOTED_MAX_CHARS] + "…"
    topic = next((name for name, pattern in _TOPICS if pattern.search(question)), "other")
    turns = [one for one in messages if one.role != "system"]
    system = sum(token_count(one.content) for one in messages if one.role == "system")
    parts = [
        t("demo.mark", lang),
        t(
            "demo.echo",
            lang,
            quoted=shown.replace("`", "'"),
            words=len(question.split()),
            tokens=sum(token_count(one.content) for one in turns),
            turns=len(turns),
        ),
        t("demo.system", lang, tokens=system) if system else "",
        t(f"demo.{topic}", lang),
        _CODE if topic == "code" else "",
        t("demo.end", lang, model=model),
    ]
    return "\n\n".join(part for part in parts if part)


def shortened(text: str, *, stop: Sequence[str], max_tokens: int | None) -> tuple[str, str]:
    """The text as limits leave it, and why it ends: "stop" or "length"."""
    places = [place for sign in stop if sign and (place := text.find(sign)) >= 0]
    text = text[: min(places)] if places else text
    if max_tokens is None or token_count(text) <= max_tokens:
        return text, "stop"
    kept = ""
    for piece in pieces(text):
        if token_count(kept + piece) > max_tokens:
            break
        kept += piece
    return kept, "length"
