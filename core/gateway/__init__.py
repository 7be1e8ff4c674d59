"""Sends one prompt to a chain of targets and always comes back in time with an answer or one clear reason."""

from core.gateway.budget import SpendingCaps
from core.gateway.chat import (
    Attempt,
    CallRecord,
    ChatRequest,
    DoneEvent,
    FailedEvent,
    Message,
    ReasoningEvent,
    Reply,
    StreamEvent,
    SwitchedEvent,
    TextEvent,
    Usage,
)
from core.gateway.check import CheckResult, Step
from core.gateway.client import Gateway
from core.gateway.endpoints import PRESETS, Endpoint, Preset, Target, TargetGroup, user_base_url
from core.gateway.errors import GatewayError
from core.gateway.estimate import estimate_usage
from core.gateway.optimizer import RankedTarget, cheapest_first
from core.gateway.policy import Policy
from core.gateway.stream import Stream

__all__ = [
    "PRESETS",
    "Attempt",
    "CallRecord",
    "ChatRequest",
    "CheckResult",
    "DoneEvent",
    "Endpoint",
    "FailedEvent",
    "Gateway",
    "GatewayError",
    "Message",
    "Policy",
    "Preset",
    "RankedTarget",
    "ReasoningEvent",
    "Reply",
    "SpendingCaps",
    "Step",
    "Stream",
    "StreamEvent",
    "SwitchedEvent",
    "Target",
    "TargetGroup",
    "TextEvent",
    "Usage",
    "cheapest_first",
    "estimate_usage",
    "user_base_url",
]
