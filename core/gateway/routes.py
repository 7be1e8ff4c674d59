"""Which endpoint, model, key and dialect does each target mean, and in which order are they tried?"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.gateway.dialects import DIALECTS
from core.gateway.dialects.shape import Dialect
from core.gateway.endpoints import Endpoint, Target, TargetGroup
from core.gateway.errors import ConfigurationError, UnknownEndpointError, UnknownModelError
from core.gateway.redact import Hasher, Redactor

AnyTarget = Target | TargetGroup
_REASONING = re.compile(r"(?:^|[/-])(?:o[1-9](?:-|$)|gpt-5|deepseek-reasoner)|-r1\b|reason|think", re.IGNORECASE)

_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A target with everything needed to send.

    `name` says which target of the caller's it is. `key` is what breakers count by, without the key itself: two
    endpoints with the same base URL, dialect, model and credential fail together. `credential` is a salted hash of the
    key, or of the secret headers that stand for one; "" without any.
    """

    endpoint: Endpoint
    model: str
    is_reasoning: bool
    credential: str
    key: tuple[str, str, str]
    dialect: Dialect = field(repr=False)
    redactor: Redactor = field(repr=False)

    @property
    def name(self) -> tuple[str, str]:
        return self.endpoint.name, self.model

    @property
    def credential_place(self) -> str:
        """What a refused credential rules out: the same key anywhere, or the same origin for those without any."""
        return self.credential or self.endpoint.origin


def suggestions(wanted: str, known: Iterable[str]) -> list[str]:
    """At most three names like the wanted one, the nearest first."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(wanted.lower(), list(by_lower), n=3, cutoff=0.5)
    return [by_lower[name] for name in near]


def _secret_headers(endpoint: Endpoint) -> list[str]:
    return [value for name, value in endpoint.headers.items() if _SECRET_HEADER.search(name)]


class Router:
    """Knows the endpoints; ValueError for a name given twice.

    Not for use by several threads: it counts the calls under way on the gateway's loop.
    """

    def __init__(self, endpoints: Iterable[Endpoint], *, draw: Callable[[], float]) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            if endpoint.name in self._endpoints:
                raise ValueError(f"endpoints: the name {endpoint.name!r} is given twice.")
            self._endpoints[endpoint.name] = endpoint
        hasher = Hasher()
        # An upstream may echo any key of ours, and a proxy in between the headers too.
        secrets = {name: [ep.api_key, *_secret_headers(ep)] for name, ep in self._endpoints.items()}
        self._credentials = {name: hasher.name("\n".join(found).strip("\n")) for name, found in secrets.items()}
        self.redactor = Redactor(one for found in secrets.values() for one in found)
        self._draw = draw
        self._busy: Counter[tuple[str, str, str]] = Counter()

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Endpoints by name, in the order they were given."""
        return self._endpoints

    def endpoint(self, name: str) -> Endpoint:
        """UnknownEndpointError with suggestions for a name that was not given to the gateway."""
        found = self._endpoints.get(name)
        if found is None:
            near = suggestions(name, self._endpoints)
            hint = f" Perhaps {' or '.join(near)}?" if near else ""
            raise UnknownEndpointError(f"There is no endpoint {name!r}.{hint}", endpoint=name, suggestions=near)
        return found

    def routes(self, targets: Sequence[AnyTarget]) -> list[Route]:
        """Routes in the order to try them; each pair of endpoint and model once.

        Raises ConfigurationError without any target, and what `route` raises.
        """
        if isinstance(targets, Target | TargetGroup):
            targets = [targets]
        flat = [one for item in targets for one in self._in_order(item)]
        if not flat:
            raise ConfigurationError("targets: give at least one target.")
        return list({route.name: route for route in map(self.route, flat)}.values())

    def route(self, target: Target) -> Route:
        """Raises UnknownEndpointError, or UnknownModelError for a model the endpoint is known not to have."""
        endpoint = self.endpoint(target.endpoint)
        if not target.model:
            raise UnknownModelError("model: give the name of a model.", endpoint=endpoint.name)
        if endpoint.models and target.model not in endpoint.models:
            near = suggestions(target.model, endpoint.models)
            hint = f" Perhaps {' or '.join(near)}?" if near else ""
            raise UnknownModelError(
                f"{endpoint.name} has no model {target.model!r}.{hint}",
                endpoint=endpoint.name, model=target.model, suggestions=near,
            )  # fmt: skip
        credential = self._credentials[endpoint.name]
        is_reasoning = target.is_reasoning
        return Route(
            endpoint=endpoint,
            model=target.model,
            is_reasoning=bool(_REASONING.search(target.model)) if is_reasoning is None else is_reasoning,
            credential=credential,
            key=(f"{endpoint.dialect} {endpoint.base_url}", target.model, credential),
            dialect=DIALECTS[endpoint.dialect],
            redactor=self.redactor,
        )

    def enter(self, route: Route) -> None:
        """Count one more call under way there, for groups that take the least busy."""
        self._busy[route.key] += 1

    def leave(self, route: Route) -> None:
        """Count one less; once for every `enter`."""
        self._busy[route.key] -= 1
        if self._busy[route.key] <= 0:
            del self._busy[route.key]

    def _in_order(self, item: AnyTarget) -> list[Target]:
        if isinstance(item, Target):
            return [item]
        weights = {target: self.endpoint(target.endpoint).weight for target in item.targets}
        if item.strategy == "least_busy":
            return sorted(item.targets, key=lambda t: (self._busy[self.route(t).key] + 1) / weights[t])
        # Efraimidis and Spirakis: drawing u ** (1 / weight) and sorting is drawing by weight without putting back.
        return sorted(item.targets, key=lambda t: -(self._draw() ** (1 / weights[t])))
