"""Settings, from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

DEFAULT_LISTEN = "127.0.0.1:8420"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
API_VERSION = "2026-10-28.endive"


class ConfigError(Exception):
    """The environment holds a setting that the sandbox cannot use."""


class Config(msgspec.Struct):
    host: str
    port: int
    data: Path | None
    public_url: str
    """Without a trailing slash; empty until the port is known."""
    control_token: str | None = None
    demo_secret_key: str | None = None
    demo_publishable_key: str | None = None
    accounts: str = "[]"
    """JSON: a list of bodies for POST /_sandbox/accounts, made at the first start"""
    log_requests: bool = True


def load(environment: Mapping[str, str] = os.environ) -> Config:
    host, _, port = environment.get("SANDBOX_LISTEN", DEFAULT_LISTEN).rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError("SANDBOX_LISTEN must be host:port, for example 127.0.0.1:8420; port 0 takes a free one.")
    token = environment.get("SANDBOX_CONTROL_TOKEN") or None
    if host.strip("[]") not in _LOOPBACK and token is None:
        raise ConfigError(
            "SANDBOX_LISTEN is open to other machines: set SANDBOX_CONTROL_TOKEN, so that not everyone controls it."
        )
    demo = [key.strip() for key in environment.get("SANDBOX_DEMO_KEYS", "").split(",") if key.strip()]
    if demo and (len(demo) != 2 or not demo[0].startswith("sk_test_") or not demo[1].startswith("pk_test_")):
        raise ConfigError("SANDBOX_DEMO_KEYS must be a secret and a publishable test key: sk_test_...,pk_test_...")
    data = environment.get("SANDBOX_DATA", "")
    return Config(
        host=host,
        port=int(port),
        data=Path(data) if data else None,
        public_url=environment.get("SANDBOX_PUBLIC_URL", "").rstrip("/"),
        control_token=token,
        demo_secret_key=demo[0] if demo else None,
        demo_publishable_key=demo[1] if demo else None,
        accounts=environment.get("SANDBOX_ACCOUNTS") or "[]",
        log_requests=environment.get("SANDBOX_LOG", "requests") == "requests",
    )
