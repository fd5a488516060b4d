from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from services.common.config import ConfigError, load
from services.common.secret import Secret


class Config(msgspec.Struct, frozen=True, kw_only=True):
    database_url: Secret
    workers: Annotated[int, msgspec.Meta(ge=1)] = 4
    folder: Path = Path("state")
    verbose: bool = False


def test_values_are_read_by_their_types() -> None:
    config = load(
        Config, {"DATABASE_URL": "postgres://x", "WORKERS": " 8 ", "FOLDER": "/srv/showbill", "VERBOSE": "true"}
    )
    assert config.database_url.reveal() == "postgres://x"
    assert (config.workers, config.folder, config.verbose) == (8, Path("/srv/showbill"), True)


def test_an_empty_variable_counts_as_unset() -> None:
    assert load(Config, {"DATABASE_URL": "postgres://x", "WORKERS": ""}).workers == 4


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        load(Config, {"WORKERS": "many", "VERBOSE": "perhaps"})
    assert [problem.split()[0] for problem in error.value.problems] == ["DATABASE_URL", "WORKERS", "VERBOSE"]


def test_no_problem_repeats_a_value() -> None:
    with pytest.raises(ConfigError) as error:
        load(Config, {"DATABASE_URL": "postgres://x", "WORKERS": "sk_live_secret"})
    assert "secret" not in str(error.value)
