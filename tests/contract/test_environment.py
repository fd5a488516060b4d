"""`.env.example` names every variable, and nothing but variables that are read."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from services.gateway.config import Config as Gateway
from services.integrations.config import Config as Integrations
from services.integrations.discovery import offers
from services.invoicing.config import Config as Invoicing

ROOT = Path(__file__).parents[2]
NAMED = dict(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
READ_IN_CODE = re.compile(r"[\"']((?:SHOWBILL|SANDBOX|CHROMIUM|LOG|METRICS|OTEL)_[A-Z_]+)[\"']")


def variables(config: type[msgspec.Struct]) -> set[str]:
    return {field.name.upper() for field in msgspec.structs.fields(config)}


def read_in_code() -> set[str]:
    """Variables that are read without a configuration class, by their prefixes."""
    files = [*(ROOT / "services").rglob("*.py"), ROOT / "run"]
    return {name for file in files for name in READ_IN_CODE.findall(file.read_text())}


COMPOSE = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "deploy" / "compose.yaml").read_text()))
ADAPTERS = [offer.settings for offer in offers()]
OF_ADAPTERS = {name for settings in ADAPTERS for name in variables(settings)}
KNOWN = (
    variables(Gateway)
    | variables(Integrations)
    | OF_ADAPTERS
    | variables(Invoicing)
    | read_in_code()
    | COMPOSE
    | {"CHROMIUM_PATH"}
)
NOT_SETTINGS = {
    *("SHOWBILL_URL", "SHOWBILL_EMAIL", "SHOWBILL_PASSWORD", "SHOWBILL_API_TOKEN", "SANDBOX_URL"),  # in demo.env
    "SHOWBILL_EVENTS",  # the stream
}


def test_every_variable_is_named() -> None:
    assert KNOWN - NOT_SETTINGS - set(NAMED) == set()


def test_no_variable_is_named_that_nobody_reads() -> None:
    assert set(NAMED) - KNOWN == set()


@pytest.mark.parametrize("config", [Gateway, Integrations, Invoicing, *ADAPTERS])
def test_defaults_are_told_as_they_are(config: type[msgspec.Struct]) -> None:
    for field in msgspec.structs.fields(config):
        if isinstance(field.default, int | float | str) and field.default:
            told = NAMED[field.name.upper()]
            assert told == str(field.default) or float(told) == float(field.default), field.name


def test_compose_sets_only_variables_that_are_read() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    configs: dict[str, type[msgspec.Struct]] = {
        "gateway": Gateway,
        "integrations": Integrations,
        "invoicing": Invoicing,
    }
    for name, config in configs.items():
        given = set(compose["services"][name]["environment"])
        required = {field.name.upper() for field in msgspec.structs.fields(config) if field.required}
        unread = (
            given
            - variables(config)
            - (OF_ADAPTERS if name == "integrations" else set())
            - {"LOG_LEVEL", "METRICS_LISTEN"}
        )
        assert required <= given, f"{name} would not start: {required - given}"
        assert unread == set(), f"{name} does not read {unread}"
