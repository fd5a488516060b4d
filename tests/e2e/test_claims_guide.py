"""The guide for claim engines, and the client that it tells of, as a stranger runs them."""

import asyncio
import os
import re
import sys
from pathlib import Path

from tests.e2e.stack import Stack
from tests.e2e.workspace import Workspace

ROOT = Path(__file__).parents[2]
SHOW = "retail-2010-12-05"


async def test_the_client_of_the_guide_feeds_a_show(stack: Stack, workspace: Workspace, tmp_path: Path) -> None:
    session = await workspace.rest.call("GET", "/api/session")
    environment = {
        "PATH": os.environ["PATH"],
        "SHOWBILL_INVOICING": stack.address("invoicing"),
        "SHOWBILL_WORKSPACE": session["workspace"]["id"],
        "SERVICE_SIGNING_KEY": stack.seeds["claims"],
    }

    async def run() -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "examples" / "feed_claims.py"), str(ROOT / "examples" / SHOW)),
            env=environment,
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode().strip()

    show_id, _, counts = (await run()).partition(": ")
    assert counts == "2581 new, 0 changed, 0 as before"
    assert (await run()) == f"{show_id}: 0 new, 0 changed, 2581 as before"
    show = await workspace.rest.call("GET", f"/api/shows/{show_id}")
    assert (show["name"], show["itemCount"], show["claimCount"], show["buyerCount"]) == (SHOW, 1149, 2581, 76)


def test_the_guide_names_what_there_is() -> None:
    guide, client = ((ROOT / path).read_text() for path in ("docs/claims.md", "examples/feed_claims.py"))
    exported = set(re.findall(r"export ([A-Z_]+)=", guide))
    assert set(re.findall(r'os\.environ\["([A-Z_]+)"\]', client)) == exported
    (signed,) = re.findall(r"said = \{(.*)\}", client)
    told = re.findall(r"^\| (`.*?) \|", guide.partition("## What you say")[0], re.MULTILINE)
    assert {name for cell in told for name in re.findall(r"`(\w+)`", cell)} == set(re.findall(r'"(\w+)":', signed))
