"""What has one attempt said so far, and was that a whole answer?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from core.gateway import errors as e
from core.gateway.chat import FinishReason, ReasoningEvent, TextEvent
from core.gateway.classify import error_type, error_words
from core.gateway.dialects.shape import Piece
from core.gateway.redact import Redactor

Emit = Callable[[Any], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Hearing:
    """Gathers the pieces of one answer and passes its text on, without the spaces before it and without any key.

    What may be the beginning of a key, or half of a surrogate pair, is held back until more has come.
    `has_shown` is the commit point: from then on no other target may answer.
    """

    redactor: Redactor
    emit: Emit | None = None
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    finish: FinishReason | None = None
    is_end: bool = False
    model: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    has_token: bool = False
    has_text: bool = False
    has_shown: bool = False
    _held: str = ""
    _held_reasoning: str = ""

    @property
    def is_whole(self) -> bool:
        return self.is_end or self.finish is not None

    async def take(self, piece: Piece) -> None:
        """Raises the error a piece carries, unless the answer was whole before."""
        if piece.error and self.is_whole:
            self.is_end = True
            return
        if piece.model and self.model is None:
            self.model = self.redactor.hide(piece.model, max_chars=200)
        self.usage.update(piece.usage)
        if piece.error:
            raise embedded_error(piece.error, self.redactor)
        self.finish = piece.finish or self.finish
        self.is_end = self.is_end or piece.is_end
        if piece.reasoning:
            await self._take_reasoning(piece.reasoning)
        if piece.text:
            await self._take_text(piece.text)

    async def finish_text(self) -> None:
        """Show what was held back."""
        await self._finish_reasoning()
        if self._held and self.has_text:
            held, self._held = self._held, ""
            await self._show(clean(held))

    async def _take_reasoning(self, text: str) -> None:
        self.has_token = True
        shown, self._held_reasoning = self._split(self._held_reasoning + text)
        if shown:
            await self._show_reasoning(shown)

    async def _finish_reasoning(self) -> None:
        if self._held_reasoning:
            held, self._held_reasoning = self._held_reasoning, ""
            await self._show_reasoning(clean(held))

    async def _show_reasoning(self, text: str) -> None:
        self.reasoning.append(text)
        if self.emit is not None and not self.has_shown:
            await self.emit(ReasoningEvent(text=text))

    async def _take_text(self, text: str) -> None:
        if not self.has_text and not text.strip():
            self._held += text
            return
        self.has_token = self.has_text = True
        await self._finish_reasoning()
        shown, self._held = self._split(self._held + text)
        if shown:
            await self._show(shown)

    def _split(self, text: str) -> tuple[str, str]:
        """What may be shown, without keys, and what must wait for more."""
        if self.emit is None:
            return self.redactor.hide_in_answer(clean(text)), ""
        half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text = self.redactor.hide_in_answer(clean(text[: len(text) - len(half)]))
        wait = self.redactor.held_back(text)
        return text[: len(text) - wait], text[len(text) - wait :] + half

    async def _show(self, text: str) -> None:
        self.text.append(text)
        if self.emit is not None:
            self.has_shown = True
            await self.emit(TextEvent(text=text))

    def check_whole(self) -> None:
        """Raises TruncatedError, ContentPolicyError or BadReplyError unless this is a whole, usable answer."""
        if self.finish == "content_filter":
            raise e.ContentPolicyError("The provider stopped the answer by its content policy.")
        if not self.is_whole:
            raise e.TruncatedError("The answer ends without a sign that it was the end.")
        if not self.has_text:
            what = "spent its whole limit without a word of answer" if self.finish == "length" else "holds no text"
            raise e.BadReplyError(f"The answer {what}.")


def clean(text: str) -> str:
    """Half of a surrogate pair cannot be shown or stored: it becomes the replacement sign."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def embedded_error(body: object, redactor: Redactor) -> e.GatewayError:
    """The error for an error object that came inside a 200, or itself."""
    if isinstance(body, e.GatewayError):
        return body
    body = body if isinstance(body, dict) and "error" in body else {"error": body}
    _, message = error_words(body)
    kind = error_type(None, body)
    shown = redactor.hide(message) if not issubclass(kind, e.CredentialError) else ""
    tail = f": {shown}" if shown else "."
    return kind(f"The upstream answered with an error{tail}", upstream_text=shown)
