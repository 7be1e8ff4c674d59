"""How many tokens may a request take at most, before anybody has counted?"""

from __future__ import annotations

from core.gateway.chat import ChatRequest, Usage

TOKENS_PER_BYTE = 0.5
"""Generous on purpose: English has about 0.25 tokens per byte of UTF-8, Korean about 0.35 (3 bytes a syllable)."""

MESSAGE_TOKENS = 8
DEFAULT_OUTPUT_TOKENS = 4096
"""What a request without a limit is taken to write."""


def estimate_usage(request: ChatRequest) -> Usage:
    """A cautious estimate: rather too much than too little, since money is set aside by it."""
    size = sum(len(m.content.encode("utf-8", "replace")) for m in request.turns)
    return Usage(
        input_tokens=int(size * TOKENS_PER_BYTE) + MESSAGE_TOKENS * len(request.turns),
        output_tokens=request.max_output_tokens or DEFAULT_OUTPUT_TOKENS,
        source="estimate",
    )
