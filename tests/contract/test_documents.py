"""Pages that repeat what the code says are held to it."""

from pathlib import Path

from services.invoicing.domain.invoice import MOVES, Status

ROOT = Path(__file__).parents[2]


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
