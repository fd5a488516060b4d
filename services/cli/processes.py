"""The processes of the stack as data: what runs, what it needs, what its environment is, in the order of starting."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import asyncpg

from services.cli.child import ChildFailed, Program
from services.cli.embedded.nats import Nats
from services.cli.embedded.postgres import Postgres
from services.cli.generated import DATABASES
from services.cli.ports import Ports
from services.cli.readiness import Probe, grpc_serving, http_ok
from services.cli.state import StateFolder

DEMO_EMAIL = "owner@example.com"
DEMO_WORKSPACE = "Demo"


@dataclass(frozen=True)
class Process:
    """One of the processes. `program` may block; `once_ready` runs before anything that needs this one starts."""

    name: str
    program: Callable[[], Program]
    needs: tuple[str, ...] = ()
    once_ready: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Stack:
    """Where the stack keeps its state, where it listens, what it was told."""

    state: StateFolder
    ports: Ports
    secrets: Mapping[str, str]
    environment: Mapping[str, str]
    """Of whoever called `up`: services inherit it, save for what is theirs alone."""

    @property
    def with_sandbox(self) -> bool:
        """False when STRIPE_API_BASE names the Stripe to use."""
        return not self.environment.get("STRIPE_API_BASE")

    @property
    def sandbox_url(self) -> str:
        return f"http://{self.ports.address('sandbox')}"

    @property
    def gateway_url(self) -> str:
        return f"http://{self.ports.address('gateway')}"

    @property
    def public_url(self) -> str:
        """Where Stripe finds the gateway. Only the sandbox finds it on loopback."""
        return self.environment.get("PUBLIC_URL") or (self.gateway_url if self.with_sandbox else "")


def processes(stack: Stack) -> list[Process]:
    """All processes of the stack, each after those it needs."""
    postgres = Postgres(stack.state.postgres, stack.ports.postgres, stack.secrets["postgres_password"])
    nats = Nats(stack.state.nats, stack.ports.nats, stack.secrets["nats_password"])

    async def make_databases() -> None:
        for name in DATABASES:
            try:
                await postgres.create_database(name, stack.secrets[f"{name}_database_password"])
            except asyncpg.InvalidPasswordError as error:
                raise ChildFailed(
                    f"The passwords in {stack.state.secrets} are not those of the Postgres data beside it. "
                    "Put back the file that belongs to the data."
                ) from error
            except (asyncpg.PostgresError, asyncpg.InternalClientError, OSError) as error:
                raise ChildFailed(f"The database {name} could not be made: {error}.") from error

    def service(name: str, probe: Probe, **own: str) -> Process:
        shared = {
            "DATABASE_URL": postgres.url(name, name, stack.secrets[f"{name}_database_password"]),
            "NATS_URL": nats.url,
            "SERVICE_SIGNING_KEY": stack.secrets[f"{name}_signing_key"],
            "SERVICE_PUBLIC_KEYS": stack.secrets["service_public_keys"],
        }
        return Process(name, lambda: _python(stack, name, probe, shared | own), ("postgres", "nats"))

    def address(name: str) -> str:
        return stack.ports.address(name)

    sandbox = Process("sandbox", lambda: _sandbox(stack))
    return [
        Process("postgres", postgres.prepare, once_ready=make_databases),
        Process("nats", nats.prepare),
        *([sandbox] if stack.with_sandbox else []),
        service(
            "integrations",
            grpc_serving(stack.ports.integrations),
            GRPC_LISTEN=address("integrations"),
            CREDENTIAL_KEYS_FILE=str(stack.state.keyring),
            PUBLIC_URL=stack.public_url,
            **_stripe(stack),
        ),
        service(
            "invoicing",
            grpc_serving(stack.ports.invoicing),
            GRPC_LISTEN=address("invoicing"),
            INTEGRATIONS_ADDRESS=address("integrations"),
        ),
        service(
            "gateway",
            http_ok(stack.ports.gateway, "/api/health"),
            HTTP_LISTEN=address("gateway"),
            INTEGRATIONS_ADDRESS=address("integrations"),
            INVOICING_ADDRESS=address("invoicing"),
            PUBLIC_URL=stack.public_url,
            BOOTSTRAP_EMAIL=DEMO_EMAIL,
            BOOTSTRAP_PASSWORD=stack.secrets["demo_password"],
            BOOTSTRAP_WORKSPACE=DEMO_WORKSPACE,
            BOOTSTRAP_API_TOKEN=stack.secrets["demo_api_token"],
        ),
    ]


def _stripe(stack: Stack) -> dict[str, str]:
    if not stack.with_sandbox:
        return {name: value for name, value in stack.environment.items() if name.startswith("STRIPE_")}
    return {"STRIPE_API_BASE": stack.sandbox_url, "STRIPE_DASHBOARD_BASE": f"{stack.sandbox_url}/dashboard"}


def _sandbox(stack: Stack) -> Program:
    own = {
        "SANDBOX_LISTEN": stack.ports.address("sandbox"),
        "SANDBOX_DATA": str(stack.state.sandbox),
        "SANDBOX_PUBLIC_URL": stack.sandbox_url,
        "SANDBOX_DEMO_KEYS": f"{stack.secrets['sk_key']},{stack.secrets['pk_key']}",
    }
    return _python(stack, "sandbox", http_ok(stack.ports.sandbox, "/_sandbox/health"), own)


OWN_TO_ONE = frozenset(
    (
        *("DATABASE_URL", "CREDENTIAL_KEYS", "CREDENTIAL_KEYS_FILE", "SERVICE_SIGNING_KEY"),
        *("PUBLIC_URL", "STRIPE_API_BASE", "STRIPE_DASHBOARD_BASE"),
    )
)
"""What a service does not inherit from whoever called `up`: it is given its own, or none."""


def _python(stack: Stack, name: str, probe: Probe, own: Mapping[str, str]) -> Program:
    inherited = {key: value for key, value in stack.environment.items() if key not in OWN_TO_ONE}
    return Program(
        name=name,
        # -P: whatever lies in the working folder is not imported.
        argv=(sys.executable, "-P", "-m", f"services.{name}"),
        ready=probe,
        environment={"LOG_LEVEL": "INFO", **inherited, "PYTHONUNBUFFERED": "1", **own},
        cwd=stack.state.path,
        start_seconds=60,  # a slow machine, its first start, six processes at once
    )
