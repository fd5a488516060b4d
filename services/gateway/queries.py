"""The named queries of the gateway's own database."""

from pathlib import Path
from typing import Final

from services.common.db import load_queries

FOLDER: Final = Path(__file__).parent / "sql"
MIGRATIONS: Final = FOLDER / "migrations"
SQL: Final = load_queries(FOLDER)
