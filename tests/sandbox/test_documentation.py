"""docs/sandbox.md names everything there is, and everything that is not confirmed."""

import re
from pathlib import Path

import pytest

from services.sandbox import config
from services.sandbox.control.routes import CONTROL_ROUTES
from services.sandbox.routes import ROUTES, Route
from services.sandbox.unconfirmed import BEHAVIOURS, UNCONFIRMED

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "sandbox.md").read_text()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.operation))
def test_every_operation_and_its_permission_is_documented(route: Route) -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("|")]
    assert any(f"`{route.operation}`" in row and f"`{route.permission}`" in row for row in rows)


def test_every_control_address_is_documented() -> None:
    for _, path, _ in CONTROL_ROUTES:
        parts = [f"/_sandbox{path}`", f"…/{path.rsplit('/', 1)[-1]}`"]
        assert any(part in TEXT for part in parts), path


def test_every_setting_is_documented() -> None:
    source = Path(config.__file__).read_text()
    names = set(re.findall(r'"(SANDBOX_[A-Z_]+)"', source))
    assert len(names) == 7
    for name in names:
        assert f"| `{name}` |" in TEXT


def test_everything_unconfirmed_is_listed() -> None:
    listed = TEXT[TEXT.index("**Unconfirmed fields**") :]
    for kind, fields in UNCONFIRMED.items():
        entry = listed[listed.index(f"- {kind}:") :].split("\n- ")[0]
        assert set(re.findall(r"`([a-z_]+)`", entry)) >= set(fields)
    for behaviour in BEHAVIOURS:
        assert f"- {behaviour}\n" in listed
