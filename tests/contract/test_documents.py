"""Pages that repeat what the code says are held to it, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from services.invoicing.domain.invoice import MOVES, Status

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("[a-z]*/README.md")))
LINK = re.compile(r"\]\(([^)#\s]+)")


def test_status_machine_page_has_the_legal_moves() -> None:
    rows = [
        f"| `{status}` | {', '.join(f'`{target}`' for target in Status if target in MOVES[status])} |".replace(
            "|  |", "| |"
        )
        for status in Status
    ]
    assert "\n".join(rows) in (ROOT / "docs" / "status-machine.md").read_text()


def test_decisions_are_short() -> None:
    for page in (ROOT / "docs" / "adr").glob("*.md"):
        assert len(page.read_text().splitlines()) <= 60, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_something(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if not link.startswith(("http://", "https://"))]
    assert [link for link in links if not (page.parent / link).exists()] == []
