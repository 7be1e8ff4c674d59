"""How does a key stay out of the log, whatever text or traceback it comes in?

Keys and passwords of the server are read here; others (the keys that visitors typed) are named by `also_hide`. They
are read when something is logged, so that nothing is kept that its owner has forgotten.
"""

from __future__ import annotations

import logging
import os
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import streamlit as st
from streamlit import config

from core.settings import Settings

if TYPE_CHECKING:
    from core.gateway.redact import Redactor

LOGGER = "breakeven"
# Ours, Streamlit's for what a page did not catch, and those that log what a task or the server did not catch.
NAMES = (
    LOGGER, "core.gateway.desk", "core.gateway.limits", "core.usage.log", "streamlit.error_util",
    "streamlit.runtime.scriptrunner.script_runner", "asyncio", "uvicorn.error",
)  # fmt: skip
MAX_LINE_CHARS = 2_000
_SECRET_NAME = re.compile(r"key|secret|password|token", re.IGNORECASE)
_SECRET_VARIABLE = re.compile(r"(?:KEY|SECRET|PASSWORD|TOKEN)$", re.IGNORECASE)
# The path of a key file is no key, and its beginning is that of every line of a traceback.
_IS_PATH = re.compile(r"[/.~]|[a-z]:\\|https?:", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^\s/@:]*):[^\s/@]+@")
_more: list[Callable[[], Iterable[str]]] = []


def also_hide(source: Callable[[], Iterable[str]]) -> None:
    """From now on what `source` gives is hidden too; it is asked from any thread."""
    _more.append(source)


def server_secrets() -> dict[str, Any]:
    """What the server's secrets file holds; empty without one."""
    try:
        return dict(st.secrets.to_dict())
    except (FileNotFoundError, st.errors.StreamlitSecretNotFoundError):
        return {}


def hidden(text: str) -> str:
    """The text without any key or password, line by line."""
    from core.gateway.redact import HIDDEN, Redactor  # late: pages that call nothing need not wait for the gateway

    redactor = Redactor(_secrets())
    return "\n".join(_hidden_line(redactor, line, HIDDEN) for line in text.split("\n"))


class HideSecrets(logging.Filter):
    """Writes a record's message and traceback anew, without keys; lets every record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            text = str(record.msg)
        record.msg, record.args = hidden(text), ()
        if record.exc_info:
            trace = "".join(traceback.format_exception(*record.exc_info))
            # Kept as text only: the exception itself would be written out again, with its keys.
            record.exc_text, record.exc_info = hidden(trace.rstrip("\n")), None
        if record.stack_info:
            record.stack_info = hidden(record.stack_info)
        return True


def install() -> None:
    """Puts the filter before everything that a logger of `NAMES` says; may be called again."""
    # With the package rich installed, Streamlit would print tracebacks itself, past every logger.
    config.set_option("logger.enableRich", False)
    for name in NAMES:
        found = logging.getLogger(name)
        if not any(isinstance(one, HideSecrets) for one in found.filters):
            found.addFilter(HideSecrets())


def _hidden_line(redactor: Redactor, line: str, instead: str) -> str:
    body = line.lstrip()
    shown = redactor.hide(_PASSWORD_IN_URL.sub(rf"\1:{instead}@", body), MAX_LINE_CHARS)
    return line[: len(line) - len(body)] + shown


def _secrets() -> Iterator[str]:
    named = (value for name, value in os.environ.items() if _SECRET_VARIABLE.search(name))
    yield from (value for value in named if not _IS_PATH.match(value))
    yield from _named_secret(server_secrets(), is_secret=False)
    settings = Settings.from_env(os.environ)
    for url in (settings.database_url, settings.redis_url or ""):
        yield from _passwords(url)
    for source in _more:
        yield from source()


def _named_secret(values: Mapping[str, Any], *, is_secret: bool) -> Iterator[str]:
    """Every text below a name that says it is one."""
    for name, value in values.items():
        is_one = is_secret or bool(_SECRET_NAME.search(name))
        if isinstance(value, Mapping):
            yield from _named_secret(value, is_secret=is_one)
        elif is_one and isinstance(value, str):
            yield value


def _passwords(url: str) -> tuple[str, ...]:
    try:
        password = urlsplit(url).password
    except ValueError:
        return ()
    return (password, unquote(password)) if password else ()


install()
