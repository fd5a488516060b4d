"""The whole product as real processes, for tests: sandbox, integrations, invoicing, gateway; replicas where wanted."""

import asyncio
import base64
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.child import Child, Program
from services.cli.readiness import Probe, grpc_serving, http_ok
from services.common.db import open_pool
from services.common.secret import Secret
from services.common.tokens import public_key_of
from services.gateway.identity.accounts import create_owner
from tests.one_hash import OneHash
from tests.waiting import free_port

SIGNERS = ("gateway", "invoicing", "integrations", "claims")
LEASE_SECONDS = 2
"""Short, so that a test of a killed worker does not wait for minutes."""


@dataclass
class Stack:
    """Addresses, processes and their logs. A process is named `invoicing`, a second replica `invoicing-2`."""

    folder: Path
    databases: Mapping[str, str]
    nats_url: str
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Environment to add, by service."""
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    seeds: dict[str, str] = field(
        default_factory=lambda: {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in SIGNERS}
    )
    credential_key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def port(self, name: str) -> int:
        return self.ports.setdefault(name, free_port())

    def address(self, name: str) -> str:
        return f"127.0.0.1:{self.port(name)}"

    def url(self, name: str) -> str:
        return f"http://{self.address(name)}"

    async def start(self, *names: str) -> None:
        """Starts processes at the same time and waits until all are ready."""
        for name in names:
            self.children[name] = Child(self._program(name), self.folder / f"{name}.log")
        await asyncio.gather(*(self.children[name].start() for name in names))

    async def stop(self, *names: str) -> None:
        for name in names or tuple(reversed(self.children)):
            await self.children.pop(name).stop()

    async def kill(self, name: str) -> None:
        """kill -9, and wait until it is gone."""
        child = self.children.pop(name)
        os.kill(child.pid, 9)
        assert await child.wait() == -9

    def logs(self) -> str:
        return "".join(log.read_text(errors="replace") for log in sorted(self.folder.glob("*.log")))

    def _program(self, name: str) -> Program:
        service = name.partition("-")[0]
        port = self.port(name)
        ready: Probe = (
            grpc_serving(port)
            if service in ("integrations", "invoicing")
            else http_ok(port, "/api/health" if service == "gateway" else "/_sandbox/health")
        )
        own = {
            "sandbox": self._sandbox,
            "integrations": self._integrations,
            "invoicing": self._invoicing,
            "gateway": self._gateway,
        }[service](name)
        shared = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONUNBUFFERED": "1", "LOG_LEVEL": "INFO"}
        return Program(
            name=name,
            argv=(sys.executable, "-P", "-m", f"services.{service}"),
            ready=ready,
            environment=shared | own | dict(self.settings.get(service, {})),
            cwd=self.folder,
            start_seconds=60,
        )

    def _shared(self, service: str) -> dict[str, str]:
        keys = ",".join(f"{name}={public_key_of(Secret(seed))}" for name, seed in self.seeds.items())
        return {
            "DATABASE_URL": self.databases[service],
            "NATS_URL": self.nats_url,
            "SERVICE_SIGNING_KEY": self.seeds[service],
            "SERVICE_PUBLIC_KEYS": keys,
        }

    def _sandbox(self, name: str) -> dict[str, str]:
        return {
            "SANDBOX_LISTEN": self.address(name),
            "SANDBOX_PUBLIC_URL": self.url(name),
            "SANDBOX_DATA": str(self.folder / "sandbox"),
        }

    def _integrations(self, name: str) -> dict[str, str]:
        return self._shared("integrations") | {
            "GRPC_LISTEN": self.address(name),
            "CREDENTIAL_KEYS": f"test-1={self.credential_key}",
            "PUBLIC_URL": self.url("gateway"),
            "STRIPE_API_BASE": self.url("sandbox"),
            "STRIPE_DASHBOARD_BASE": self.url("sandbox") + "/dashboard",
            # The sandbox's limits are off in these tests: no reason to wait for them.
            **{f"STRIPE_RATE_{limit}": "10000" for limit in ("LIVE", "TEST", "PER_OPERATION")},
        }

    def _invoicing(self, name: str) -> dict[str, str]:
        return self._shared("invoicing") | {
            "GRPC_LISTEN": self.address(name),
            "INTEGRATIONS_ADDRESS": self.address("integrations"),
            "GENERATION_LEASE_SECONDS": str(LEASE_SECONDS),
        }

    def _gateway(self, name: str) -> dict[str, str]:
        return self._shared("gateway") | {
            "HTTP_LISTEN": self.address(name),
            "INTEGRATIONS_ADDRESS": self.address("integrations"),
            "INVOICING_ADDRESS": self.address("invoicing"),
            "PUBLIC_URL": self.url("gateway"),
            # All tests come from one address, and a quick machine runs them within a minute.
            **dict.fromkeys(("RATE_LIMIT", "RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_PAY_LINKS"), "1000000"),
        }

    async def make_owner(self, workspace: str, email: str, password: str) -> str:
        """A new workspace with its owner; answers an API token of theirs."""
        pool = await open_pool(Secret(self.databases["gateway"]), "tests", largest=1)
        try:
            return (await create_owner(pool, OneHash(), email, Secret(password), workspace)).reveal()
        finally:
            await pool.close()


@asynccontextmanager
async def running_stack(stack: Stack, *names: str) -> AsyncIterator[Stack]:
    """The stack for the length of a block; nothing of it is left afterwards."""
    try:
        await stack.start(*names)
        yield stack
    finally:
        await stack.stop()
