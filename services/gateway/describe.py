"""`python -m services.gateway.describe docs/openapi.json` writes the description of the interface as it is served."""

import dataclasses
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from litestar.di import Provide

from services.gateway.app import ROUTES, Parts
from services.gateway.openapi import describe


@cache
def description() -> dict[str, Any]:
    """Made from the routes alone: nothing behind them is needed."""
    names = (*(field.name for field in dataclasses.fields(Parts)), "caller", "limits", "description")
    return describe(ROUTES, {name: _nothing() for name in names})


def written() -> str:
    """As it is kept in a file, so that a change shows as the lines that changed."""
    return json.dumps(description(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _nothing() -> Provide:
    async def provide() -> Any:
        return None

    return Provide(provide)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(written(), encoding="utf-8")
