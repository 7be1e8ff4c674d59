"""How is a key kept out of everything that is shown, logged or stored?"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

HIDDEN = "[key hidden]"

MIN_KEY_CHARS = 4
PLACEHOLDERS = frozenset({
    "anything", "demo", "dummy", "empty", "fake", "ignored", "llama-cpp", "llama.cpp", "llamacpp", "lm-studio",
    "lm_studio", "lmstudio", "local", "localai", "no-key", "no-key-needed", "no-key-required", "nokey", "none",
    "not-needed", "not-required", "not_needed", "null", "ollama", "placeholder", "required", "test", "unused", "vllm",
})  # fmt: skip
"""What is put where a key is wanted and none is needed: hiding these would blacken ordinary words."""

PLACEHOLDER_DIGITS = 6
"""So few digits and nothing else, such as 1234, stand for a key as well: they are ordinary numbers."""

PART_CHARS = 12
"""So many characters of a key, wherever they stand in it, are not shown either. Fewer may be an ordinary word."""

_PREFIX_CHARS = 8
_LOOK_CHARS = 4_000
"""So much more of a text than is shown is looked through: what is hidden makes it shorter."""

_WORD = re.compile(r"[^\s\"'<>,;)]+")
_WELL_KNOWN = r"(?:sk-|AIza|gsk_|xai-|hf_)[A-Za-z0-9_\-]{8,}|Bearer\s+[A-Za-z0-9._~+/=\-]{8,}"


class Redactor:
    """Knows an endpoint's secrets and takes them out of texts that came from outside."""

    def __init__(self, values: Iterable[str]) -> None:
        self._keys = sorted({value for value in values if _is_key(value)}, key=len, reverse=True)
        patterns = [re.escape(form) for key in self._keys for form in _forms(key)]
        # An upstream that shortens the key still shows its beginning: that goes too, up to the next separator.
        long = [key for key in self._keys if len(key) >= _PREFIX_CHARS]
        patterns += [re.escape(key[:_PREFIX_CHARS]) + r"[^\s\"'<>,;)]*" for key in long]
        self._pattern = re.compile("|".join([*patterns, _WELL_KNOWN]), re.IGNORECASE)
        self._parts = {part for key in self._keys for part in _parts(key)}

    def hide(self, text: str, max_chars: int = 300) -> str:
        """A short, printable text without any key, for messages and logs."""
        if len(text) > max_chars + _LOOK_CHARS:
            text = text[: max_chars + _LOOK_CHARS]
            text = text[: len(text) - self.held_back(text)]
        shown = _WORD.sub(self._hide_part, self._pattern.sub(HIDDEN, text))
        shown = " ".join("".join(sign if sign.isprintable() else " " for sign in shown).split())
        return shown if len(shown) <= max_chars else shown[: max_chars - 1] + "…"

    def _hide_part(self, word: re.Match[str]) -> str:
        """A word with another part of a key in it goes as a whole."""
        return word[0] if self._parts.isdisjoint(_parts(word[0])) else HIDDEN

    def hide_in_answer(self, text: str) -> str:
        """The answer as it came, but for the keys themselves."""
        for key in self._keys:
            if key in text:
                text = text.replace(key, HIDDEN)
        return text

    def held_back(self, text: str) -> int:
        """How many characters at the end of a streamed text may be the beginning of a key, so must wait."""
        longest = 0
        for key in self._keys:
            for length in range(min(len(key) - 1, len(text)), longest, -1):
                if text.endswith(key[:length]):
                    longest = length
                    break
        return longest


def _is_key(value: str) -> bool:
    is_number = value.isdecimal() and len(value) <= PLACEHOLDER_DIGITS
    return len(value) >= MIN_KEY_CHARS and not is_number and value.lower() not in PLACEHOLDERS


def _parts(text: str) -> Iterator[str]:
    """Every `PART_CHARS` characters that follow each other."""
    text = text.lower()
    return (text[place : place + PART_CHARS] for place in range(len(text) - PART_CHARS + 1))


def _forms(key: str) -> set[str]:
    """The key as it may come back: as it is, percent-escaped, JSON-escaped, with escaped slashes."""
    escaped = json.dumps(key)[1:-1]
    return {key, quote(key), quote(key, safe=""), quote_plus(key), escaped, escaped.replace("/", "\\/")}


class Hasher:
    """Turns a key into a short name that says nothing about it: salted anew in every process."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(16)

    def name(self, key: str) -> str:
        """Twelve hexadecimal digits, "" for no key."""
        return hashlib.blake2b(key.encode(), key=self._salt, digest_size=6).hexdigest() if key else ""
