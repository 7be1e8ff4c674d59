"""No key and no password is ever in the log, in whatever text or traceback it comes."""

from __future__ import annotations

import logging

import pytest
from streamlit.error_util import handle_uncaught_app_exception

from core.gateway.redact import HIDDEN
from pages.parts import safe_log
from pages.parts.safe_log import hidden
from pages.parts.visit import Visit

SERVER_KEY = "zz-server-0123456789"  # all invented for this test
TYPED_KEY = "yy-typed-0123456789"
DB_PASSWORD = "p4ss"
REDIS_PASSWORD = "r3dis-password/1"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Visit:
    monkeypatch.setenv("OPENAI_API_KEY", SERVER_KEY)
    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", f"postgresql://me:{DB_PASSWORD}@db.example/x")
    monkeypatch.setenv("REDIS_URL", f"redis://:{REDIS_PASSWORD.replace('/', '%2F')}@cache.example")
    one = Visit(keys={"openai": TYPED_KEY})
    monkeypatch.setattr("pages.parts.visit._ALIVE", {one})
    return one


def raise_with_keys() -> None:
    try:
        raise ValueError(f"Incorrect API key provided: {TYPED_KEY}")
    except ValueError as error:
        raise RuntimeError(f"header Bearer {SERVER_KEY}") from error


@pytest.mark.parametrize("name", safe_log.NAMES)
def test_a_key_in_an_exception_is_never_logged(
    typed: Visit, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    logger = logging.getLogger(name)
    monkeypatch.setattr(logger, "propagate", True)
    with caplog.at_level(logging.ERROR, logger=name):
        try:
            raise_with_keys()
        except RuntimeError:
            logger.exception("A page failed with %s and %r", SERVER_KEY, {"key": TYPED_KEY})

    assert "A page failed" in caplog.text
    assert "RuntimeError" in caplog.text
    assert "raise_with_keys" in caplog.text
    assert HIDDEN in caplog.text
    assert SERVER_KEY not in caplog.text
    assert TYPED_KEY not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


def test_what_no_page_caught_is_logged_without_keys(
    typed: Visit,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("streamlit.error_util"), "propagate", True)
    try:
        raise_with_keys()
    except RuntimeError as error:
        handle_uncaught_app_exception(error)

    assert "RuntimeError" in caplog.text
    printed = "".join(capsys.readouterr())
    for shown in (caplog.text, printed):
        # The package rich, where it is installed, writes a key in two colours.
        assert "0123456789" not in shown


def test_passwords_in_addresses_are_hidden(typed: Visit) -> None:
    shown = hidden(f"postgresql+psycopg://me:{DB_PASSWORD}@db.example/x and redis said {REDIS_PASSWORD}")

    assert DB_PASSWORD not in shown
    assert REDIS_PASSWORD not in shown
    assert "db.example/x" in shown


def test_a_traceback_keeps_its_lines(typed: Visit) -> None:
    text = 'Traceback:\n  File "x.py", line 3, in run\n    call()\nValueError: no'

    assert hidden(text) == text


def test_the_path_of_a_key_file_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TLS_KEY_FILE", "/etc/breakeven/tls.pem")

    assert hidden('File "/etc/breakeven/app.py", line 1') == 'File "/etc/breakeven/app.py", line 1'


def test_a_message_that_does_not_fit_its_arguments_is_logged_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    record = logging.LogRecord("breakeven", logging.ERROR, "x.py", 1, "%d of %d", ("a",), None)

    assert let_through(record)
    assert record.getMessage() == "%d of %d"


def let_through(record: logging.LogRecord) -> bool:
    return safe_log.HideSecrets().filter(record)
