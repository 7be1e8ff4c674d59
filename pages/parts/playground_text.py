"""What does the playground show, estimate and export? Plain functions on text, without the screen."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from core.gateway.chat import ChatRequest, Message
from core.gateway.endpoints import Endpoint
from core.i18n import HANGUL

SHOWN_MAX_CHARS = 100_000
PROMPT_MAX_CHARS = 200_000
BAND_SHARE = 0.3
"""How far a count from characters may be off, either way."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_IMAGE = re.compile(r"!(?=\[)")
_DIRECTIVE = re.compile(r":(?=[\w-]+[\[:/])")
_WIDE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def safe_markdown(text: str) -> str:
    """A model's answer as Markdown that loads nothing: images become links to click, HTML and formulas stay text.

    Streamlit shows HTML as text by itself; code is left as it is. Cut to `SHOWN_MAX_CHARS`.
    """
    text = text[:SHOWN_MAX_CHARS]
    shown, place = [], 0
    for code in _CODE.finditer(text):
        shown += [_disarmed(text[place : code.start()]), code.group()]
        place = code.end()
    return "".join([*shown, _disarmed(text[place:])])


def _disarmed(text: str) -> str:
    text = _IMAGE.sub(r"\\!", text).replace("$", r"\$").replace("<", "&lt;")
    return _DIRECTIVE.sub(r"\\:", text)


def estimated_tokens(text: str) -> int:
    """Tokens guessed from characters: a syllable of Hangul 0.7, a Chinese or Japanese sign 1, else 4 to a token."""
    hangul, wide = len(HANGUL.findall(text)), len(_WIDE.findall(text))
    return round(hangul * 0.7 + wide + (len(text) - hangul - wide) / 4)


def estimated_input(messages: Sequence[Message]) -> int:
    """Tokens guessed for a whole conversation, with four for the frame of each message."""
    return sum(estimated_tokens(one.content) + 4 for one in messages)


def as_json(turns: Sequence[dict[str, Any]], about: str = "conversation") -> str:
    """The conversation or comparison as JSON; it never holds a key."""
    return json.dumps({about: list(turns)}, ensure_ascii=False, indent=2)


def as_markdown(turns: Sequence[dict[str, Any]]) -> str:
    """The conversation as Markdown, a heading per turn; why there is no answer, or not all of it, stands in italics."""
    parts = []
    for turn in turns:
        about = " · ".join(str(turn[name]) for name in ("model", "outcome") if turn.get(name))
        reason = f"*{turn['reason']}*" if turn.get("reason") else ""
        heading = f"## {turn['role']}" + (f" ({about})" if about else "")
        parts.append("\n\n".join(part for part in (heading, turn["text"], reason) if part))
    return "\n\n".join(parts) + "\n"


def code_example(kind: str, endpoint: Endpoint, model: str, request: ChatRequest) -> str:
    """The same call as `curl`, `httpx` or `openai` code; the key is an environment variable, never its value."""
    from core.gateway.dialects import DIALECTS  # late: only whoever looks at the code needs it

    plain = Endpoint(
        name=endpoint.name,
        base_url=endpoint.base_url,
        api_key="PUT_KEY_HERE",
        dialect=endpoint.dialect,
    )
    call = DIALECTS[endpoint.dialect].build(plain, model, request, False)
    body = json.loads(call.body)
    if kind == "openai" and endpoint.dialect == "openai":
        return _openai_code(endpoint.base_url, body)
    return _curl(call, body) if kind == "curl" else _httpx(call, body)


def _headers(call: Any) -> list[tuple[str, str]]:
    return [("content-type", "application/json"), *call.headers.items()]


def _curl(call: Any, body: dict[str, Any]) -> str:
    quoted = json.dumps(body, ensure_ascii=False, indent=2).replace("'", "'\\''")
    lines = [f"curl {call.url}"]
    lines += [f'  -H "{name}: {value.replace("PUT_KEY_HERE", "$API_KEY")}"' for name, value in _headers(call)]
    return " \\\n".join([*lines, f"  -d '{quoted}'"])


def _python(value: Any) -> str:
    """A value as code that is one level deep."""
    text = json.dumps(value, ensure_ascii=False, indent=4).replace("\n", "\n    ")
    return re.sub(
        r"(?m)(?<=: )(true|false|null)(?=,?$)", lambda m: {"t": "True", "f": "False"}.get(m[0][0], "None"), text
    )


def _httpx(call: Any, body: dict[str, Any]) -> str:
    headers = ",\n".join(
        f'        "{name}": '
        + (f'f"{value.replace("PUT_KEY_HERE", "{key}")}"' if "PUT_KEY_HERE" in value else f'"{value}"')
        for name, value in _headers(call)
    )
    return (
        "import os\n\nimport httpx\n\n"
        'key = os.environ["API_KEY"]\n'
        f'reply = httpx.post(\n    "{call.url}",\n    headers={{\n{headers},\n    }},\n'
        f"    json={_python(body)},\n    timeout=httpx.Timeout(60, connect=5),\n)\n"
        "reply.raise_for_status()\nprint(reply.json())\n"
    )


def _openai_code(base_url: str, body: dict[str, Any]) -> str:
    arguments = "".join(f"    {name}={_python(value)},\n" for name, value in body.items())
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{base_url}", api_key=os.environ["API_KEY"], timeout=60)\n'
        f"reply = client.chat.completions.create(\n{arguments})\n"
        "print(reply.choices[0].message.content)\n"
    )
