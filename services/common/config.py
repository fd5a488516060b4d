"""Configuration from the environment: one Struct per service, every problem reported at once.

A field `database_url` is read from DATABASE_URL. An empty variable counts as not set.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from services.common.secret import Secret

T = TypeVar("T", bound=msgspec.Struct)


class ConfigError(Exception):
    """The configuration is not usable; the message lists every problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(
    config: type[T], environment: Mapping[str, str], parsers: Mapping[type, Callable[[str], object]] | None = None
) -> T:
    """Reads `config` from the environment; `parsers` adds types of the service's own.

    Raises ConfigError with a sentence for every variable that is missing or wrong, and no variable's value.
    """

    def decode(kind: type, value: Any) -> Any:
        if kind is Secret:
            return Secret(value)
        if kind is Path:
            return Path(value).expanduser()
        parser = (parsers or {}).get(kind)
        if parser is None:
            raise TypeError(f"no parser for {kind.__name__}")
        return parser(value)

    values: dict[str, Any] = {}
    problems = []
    for field in msgspec.structs.fields(config):
        name = field.name.upper()
        text = environment.get(name, "").strip()
        if not text:
            if field.required:
                problems.append(f"{name} is not set. See .env.example for what it means.")
            continue
        try:
            values[field.name] = msgspec.convert(text, field.type, strict=False, dec_hook=decode)
        except (msgspec.ValidationError, ValueError) as error:
            problems.append(f"{name} is not usable: {error}. See .env.example for its form.")
    if problems:
        raise ConfigError(problems)
    try:
        return config(**values)
    except ValueError as error:  # of __post_init__: settings that do not go together, in a sentence
        raise ConfigError([str(error)]) from error
