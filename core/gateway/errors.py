"""Why did a call, or one attempt of it, fail, and what may be tried next?

GatewayError                          .kind              .scope
  ConfigurationError                  configuration      call        nothing was sent
    UnknownEndpointError              unknown_endpoint
    UnknownModelError                 unknown_model                  .suggestions
    BaseUrlError                      base_url
  LimitError                                             call        nothing was sent
    SpendingCapError                  spending_cap
    ClientLimitError                  client_limit                   .retry_after_s
    TargetClosedError                 target_closed                  .retry_after_s: time of the next probe
  DeadlineError                       deadline           call
  CancelledError                      cancelled          call
  ClosedError                         gateway_closed     call
  RequestError                                           request     never shopped around
    BadRequestError                   bad_request                    400 422
    ContextLengthError                context_length
    ContentPolicyError                content_policy
    RequestTooLargeError              request_too_large              413
  CredentialError                                        credential  skips every target with that key
    AuthError                         auth                           401, some 403
    QuotaError                        quota                          402, insufficient_quota
  TargetError                                            target      the next target is tried
    ModelNotFoundError                model_not_found                404, 410, 400 "invalid model"
    ForbiddenError                    forbidden                      403 405 407 426 451
    RateLimitError                    rate_limited                   429
    BusyError                         busy                           408 409 421 424 425 499
    UpstreamError                     upstream_error                 5xx
      OverloadedError                 overloaded                     503 529
    DnsError                          dns
    TlsError                          tls
      TlsInterruptedError             tls                            hung up during the greeting: may be tried again
    ConnectError                      connect
    ConnectTimeoutError               connect_timeout
    HeadersTimeoutError               headers_timeout
    FirstTokenTimeoutError            first_token_timeout
    IdleTimeoutError                  idle_timeout
    ConnectionLostError               connection_lost
    ProtocolError                     protocol
    RedirectError                     redirect                       3xx
    BadReplyError                     bad_reply                      200 without a usable answer
      ReplyTooLargeError              reply_too_large
      TruncatedError                  truncated                      the end came without a sign that it was the end
"""

# Longer than other modules on purpose: one tree, to be read in one place.
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

if TYPE_CHECKING:
    from core.gateway.chat import Attempt

Scope = Literal["target", "credential", "request", "call"]


class GatewayError(Exception):
    """Root of all. The text is one English sentence without any key; facts are attributes.

    `retry_after_s` is in seconds from when the error was made, None when nobody said. `attempts` are those of the
    whole call. `is_unbilled` says that the provider surely charges nothing for it; else the cost is unknown.
    """

    kind: ClassVar[str] = "gateway"
    scope: ClassVar[Scope] = "call"
    is_unbilled: ClassVar[bool] = True

    def __init__(
        self,
        text: str = "",
        *,
        endpoint: str = "",
        model: str = "",
        status_code: int | None = None,
        retry_after_s: float | None = None,
        upstream_text: str = "",
        suggestions: Sequence[str] = (),
        attempts: Sequence[Attempt] = (),
    ) -> None:
        super().__init__(text)
        self.endpoint = endpoint
        self.model = model
        self.status_code = status_code
        self.retry_after_s = retry_after_s
        self.upstream_text = upstream_text
        self.suggestions = tuple(suggestions)
        self.attempts: tuple[Attempt, ...] = tuple(attempts)

    def bare(self) -> Self:
        """Itself without traceback and earlier errors: their frames hold requests, and with them keys."""
        self.__traceback__ = self.__context__ = self.__cause__ = None
        return self


class ConfigurationError(GatewayError):
    kind = "configuration"


class UnknownEndpointError(ConfigurationError):
    kind = "unknown_endpoint"


class UnknownModelError(ConfigurationError):
    kind = "unknown_model"


class BaseUrlError(ConfigurationError, ValueError):
    kind = "base_url"


class LimitError(GatewayError):
    kind = "limit"


class SpendingCapError(LimitError):
    kind = "spending_cap"


class ClientLimitError(LimitError):
    kind = "client_limit"


class TargetClosedError(LimitError):
    kind = "target_closed"


class DeadlineError(GatewayError):
    kind = "deadline"
    is_unbilled = False


class CancelledError(GatewayError):
    kind = "cancelled"
    is_unbilled = False


class ClosedError(GatewayError):
    kind = "gateway_closed"


class RequestError(GatewayError):
    kind = "request"
    scope = "request"


class BadRequestError(RequestError):
    kind = "bad_request"


class ContextLengthError(RequestError):
    kind = "context_length"


class ContentPolicyError(RequestError):
    # A refused prompt may still be billed for its input.
    kind = "content_policy"
    is_unbilled = False


class RequestTooLargeError(RequestError):
    kind = "request_too_large"


class CredentialError(GatewayError):
    kind = "credential"
    scope = "credential"


class AuthError(CredentialError):
    kind = "auth"


class QuotaError(CredentialError):
    kind = "quota"


class TargetError(GatewayError):
    kind = "target"
    scope = "target"


class ModelNotFoundError(TargetError):
    kind = "model_not_found"


class ForbiddenError(TargetError):
    kind = "forbidden"


class RateLimitError(TargetError):
    kind = "rate_limited"


class BusyError(TargetError):
    kind = "busy"


class UpstreamError(TargetError):
    # A proxy may give up on a model that went on and billed.
    kind = "upstream_error"
    is_unbilled = False


class OverloadedError(UpstreamError):
    kind = "overloaded"
    is_unbilled = True


class DnsError(TargetError):
    kind = "dns"


class TlsError(TargetError):
    kind = "tls"


class TlsInterruptedError(TlsError):
    """The other side hung up while the encryption was being set up, as a server that restarts does too."""


class ConnectError(TargetError):
    kind = "connect"


class ConnectTimeoutError(TargetError):
    kind = "connect_timeout"


class HeadersTimeoutError(TargetError):
    kind = "headers_timeout"
    is_unbilled = False


class FirstTokenTimeoutError(TargetError):
    kind = "first_token_timeout"
    is_unbilled = False


class IdleTimeoutError(TargetError):
    kind = "idle_timeout"
    is_unbilled = False


class ConnectionLostError(TargetError):
    kind = "connection_lost"
    is_unbilled = False


class ProtocolError(TargetError):
    kind = "protocol"
    is_unbilled = False


class RedirectError(TargetError):
    kind = "redirect"


class BadReplyError(TargetError):
    kind = "bad_reply"
    is_unbilled = False


class ReplyTooLargeError(BadReplyError):
    kind = "reply_too_large"


class TruncatedError(BadReplyError):
    kind = "truncated"
