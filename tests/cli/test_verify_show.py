"""What `verify-show` says and writes of a proof: the way there is walked on the whole product."""

import csv
from pathlib import Path
from typing import Any

from services.cli.verify_show import _closing, _export

STRAY = "The provider has an invoice with this workspace’s mark that belongs to no show here: in_1, open, £10.00."


def _proof(*verdicts: str) -> dict[str, Any]:
    numbers = dict.fromkeys(("owed", "invoiced", "providerTotal", "invoiceCount", "providerInvoiceCount"), 1)
    words = dict.fromkeys(("handle", "platform", "platformUserId", "reason"), "x")
    return {
        "verdict": "disproved",
        "currency": "GBP",
        "buyers": [{**numbers, **words, "verdict": verdict} for verdict in verdicts],
        "findings": [{"buyerId": "", "problem": STRAY}, {"buyerId": "b1", "problem": "Another."}],
    }


def test_what_is_of_no_buyer_is_told_and_written(tmp_path: Path) -> None:
    """Else every row would say proven, and the closing that nobody is wrong, while the exit code says disproved."""
    assert _closing(_proof("proven", "proven")).startswith("Disproved: the provider has what belongs to none of the 2")
    assert _closing(_proof("proven", "disproved")) == "Disproved: something is wrong with 1 of 2 buyers."
    _export(_proof("proven"), tmp_path / "proof.csv")
    with (tmp_path / "proof.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["buyer"], row["verdict"], row["reason"]) for row in rows] == [
        ("x", "proven", "x"),
        ("", "disproved", STRAY),
    ]
