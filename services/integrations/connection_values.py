"""What an adapter and the service tell each other about keys, accounts and webhook endpoints: frozen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.common.secret import Secret

Credentials = Mapping[str, Secret]
"""A connection's credential fields by name, opened."""

WEBHOOK_SECRET = "webhook_secret"  # noqa: S105  # the name of a field, not a secret
"""The field under which the signing secret of our webhook endpoint is sealed beside the operator's keys."""
EARLIER_WEBHOOK_SECRETS = WEBHOOK_SECRET + "_before"
"""Those of the endpoints before it, as overlap.py has them."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of a key."""

    name: str
    """The exact name to tick at the provider."""
    granted: bool
    required: bool
    purpose: str
    """A finished sentence: what does not work without it."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the operator knows an account by."""

    account: str = ""
    """At the provider; empty where the keys may not read it."""
    public_key: str = ""
    """The last characters of the key that is no secret."""
    key_kind: str = ""
    """What the secret key's beginning says of it, for example `rk_live`: nothing of what is secret."""


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """What the provider says about the account that keys belong to."""

    account_id: str
    livemode: bool
    country: str = ""
    default_currency: str = ""
    """ISO 4217, upper case."""
    key_hint: str = ""
    names: Names = Names()  # frozen
    permissions: Sequence[Permission] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """An open connection: for whom and with what a call is made."""

    workspace_id: str
    integration_id: str
    account_id: str
    livemode: bool
    credentials: Credentials = field(repr=False)
    background: bool = False
    """Nobody waits for the answer: other calls go first."""


@dataclass(frozen=True, slots=True)
class EndpointWish:
    """The webhook endpoint that a connection wants on the operator's account."""

    integration_id: str
    workspace_id: str
    url: str
    ours_begin_with: str
    """Addresses that only this installation gives out: a stray of ours may be removed there."""
    known_id: str = ""
    """The endpoint that the connection has had so far, or empty."""
    secret_known: bool = False
    """Whether that one's secret is sealed here: without it the endpoint is of no use."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint that stands."""

    id: str
    secret: Secret | None = field(repr=False)
    """None when the known endpoint was kept: its secret is the sealed one."""


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What the provider says about our endpoint."""

    exists: bool
    enabled: bool = False
    url: str = ""
    api_version: str = ""
    missing_events: Sequence[str] = ()
    problem: str = ""
    """A finished sentence when it does not do what it is for."""


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of a live call. An unhealthy connection is an answer, not an error."""

    healthy: bool
    sentence: str
    seconds: float
    rejected: bool = False
    """The provider does not take the keys any more."""
    permissions: Sequence[Permission] = ()
    endpoint: EndpointState | None = None
    behind: bool = False
    """News has been waiting for its delivery."""
    names: Names = Names()  # frozen

    @property
    def permission_missing(self) -> bool:
        return any(one.required and not one.granted for one in self.permissions)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider sets that a plan must know. Amounts in minor units."""

    minimum_totals: Mapping[str, int]
    maximum_total: int
    maximum_lines: int
    maximum_totals: Mapping[str, int] = field(default_factory=dict)
    longest_memo: int = field(kw_only=True)
    """Characters."""
    longest_footer: int = field(kw_only=True)
    cannot_email: bool = field(default=False, kw_only=True)
    """It mails nothing: links go out as a message or by hand."""
