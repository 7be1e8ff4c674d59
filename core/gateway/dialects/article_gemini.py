"""How does the seed article call Gemini: its own route with a Bearer key, never streamed?"""

from __future__ import annotations

from urllib.parse import quote

from core.gateway.chat import ChatRequest
from core.gateway.dialects import gemini, openai, shape
from core.gateway.dialects.shape import Dialect, Outgoing
from core.gateway.endpoints import Endpoint


def build(endpoint: Endpoint, model: str, request: ChatRequest, is_streamed: bool) -> Outgoing:
    """`POST {base}/models/{model}/generate`; the answer is Gemini's."""
    path = f"/models/{quote(model, safe='')}/generate"
    return shape.outgoing(endpoint, path, shape.bearer(endpoint), gemini.body_of(request))


DIALECT = Dialect(
    build=build, read_reply=gemini.read_reply, read_event=gemini.read_event, read_usage=gemini.read_usage,
    models_call=openai.models_call, read_models=openai.read_models, can_stream=False,
)  # fmt: skip
