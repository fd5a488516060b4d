"""The address of a database: a wrong one is refused before a driver quotes it."""

from collections.abc import Callable

import msgspec
import pytest

from services.common.config import ConfigError, load
from services.common.database_url import UnusableDatabaseUrl, parse_database_url
from services.common.db import open_pool
from services.common.secret import Secret
from services.gateway import admin
from services.gateway import config as gateway
from services.integrations import config as integrations
from services.invoicing import config as invoicing

WRONG = (
    "postgres://u:pa55/word@h/x",
    "postgres://u:pa55?word@h/x",
    "postgres://u:pa55#word@h/x",
    "postgres://u:pa55@word@h/x",
    "postgres://u:55/pa55@h/x",
    "postgres://u:55?pa55@h/x",
    "postgres://u:pa55%word@h/x",
    'postgres://u:pa55"word@h/x',
    "postgres://u:pa55[word@h/x",
    "postgres://u:pa55word@h:99999/x",
    "postgres://u:pa55word@h:0/x",
    "postgres://u:pa55word@first:1,second:99999/x",
    "postgres://u:pa55word@h/x?sslmode=a b",
    "mysql://u:pa55word@h/x",
    "pa55word",
)


@pytest.mark.parametrize(
    "text",
    [
        "postgres://invoicing:password@127.0.0.1:5432/invoicing",
        "postgresql://u:p%2Fa%40@db.internal/x?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgres://u:a-b_c.d~e@[::1]:5432/x",
        "postgres://u@first:5432,second:5433/x?target_session_attrs=read-write",
        "postgres://u:a:b@h:5432/x?options=-c%20statement_timeout=0&application_name=[x]",
        "postgres:///x?host=/var/run/postgresql",
        "postgres://u:+=,;!$&'()*@h/x",
    ],
)
def test_usual_addresses_pass(text: str) -> None:
    assert parse_database_url(text).reveal() == text


@pytest.mark.parametrize("text", WRONG)
def test_wrong_address_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"it must be postgres://user:password@host:port/name") as refused:
        parse_database_url(text)
    assert not any(part in str(refused.value) for part in ("pa55", "99999"))


@pytest.mark.parametrize(
    ("config", "parsers"),
    [(one.Config, one.PARSERS) for one in (gateway, invoicing, integrations)],
    ids=["gateway", "invoicing", "integrations"],
)
def test_every_service_refuses_it_when_it_reads_its_settings(
    config: type[msgspec.Struct], parsers: dict[type, Callable[[str], object]]
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(config, {"DATABASE_URL": WRONG[0]}, parsers)
    told = next(one for one in refused.value.problems if one.startswith("DATABASE_URL"))
    assert told.startswith("DATABASE_URL is not usable: it must be postgres://")
    assert "pa55" not in told


@pytest.mark.parametrize("url", [WRONG[0], "postgres://u:pa55word@127.0.0.1:9/x?sslmode=pa55word"])
def test_commands_of_the_gateway_refuse_it_too(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("SHOWBILL_OWNER_PASSWORD", "correct horse battery staple")
    assert admin.set_password_command(email="a@b.example") == 1
    said = "".join(capsys.readouterr())
    assert said.startswith("DATABASE_URL is not usable: ")
    assert "pa55" not in said


async def test_what_only_the_driver_finds_wrong_is_said_without_its_words() -> None:
    with pytest.raises(UnusableDatabaseUrl) as refused:
        await open_pool(Secret("postgres://u:pa55word@127.0.0.1:9/x?sslmode=pa55word"), "tests")
    assert str(refused.value).startswith("DATABASE_URL is not usable: ")
    assert "pa55" not in str(refused.value)
    assert refused.value.__suppress_context__, "a traceback would show the driver's words"
