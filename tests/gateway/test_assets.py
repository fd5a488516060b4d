"""The files that pages use: what is said of those from elsewhere is true, and no page needs what is forbidden."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.gateway.harness import Gateway

DASHBOARD = Path(__file__).parents[2] / "services" / "gateway" / "dashboard"
STATIC = DASHBOARD / "static"
TEMPLATES = sorted((DASHBOARD / "templates").rglob("*.html"))
RECORDED = re.findall(r"^\| ([\w.-]+).*\| ([0-9a-f]{64}) \|$", (STATIC / "VENDORED.md").read_text(), re.MULTILINE)


def test_every_vendored_file_has_the_recorded_hash() -> None:
    assert len(RECORDED) == 4
    for name, digest in RECORDED:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_nothing_inline(template: Path) -> None:
    text = template.read_text()
    for forbidden in (r"\sstyle=", r"<style", r"<script(?![^>]*\ssrc=)", r"\son\w+=", r"hx-on", r"\bjs:", r"\|\s*safe"):
        assert not re.search(forbidden, text), forbidden


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_draw_only_icons_that_are_there(template: Path) -> None:
    known = set(re.findall(r'<symbol id="i-([\w-]+)"', (STATIC / "icons.svg").read_text()))
    assert set(re.findall(r"""icon\(['"]([\w-]+)['"]""", template.read_text())) <= known


async def test_a_versioned_file_is_kept_for_ever(gateway: Gateway) -> None:
    client = gateway.client()
    page = await client("GET", "/sign-in")
    (address,) = set(re.findall(r"/static/app\.css\?v=\w+", page.text))
    kept, asked = await client("GET", address), await client("GET", "/static/app.css")
    assert "immutable" in kept.headers["Cache-Control"]
    assert asked.headers["Cache-Control"] == "no-cache"
    assert (await client("GET", "/static/VENDORED.md")).status == 404


async def test_pages_and_their_files_travel_compressed(gateway: Gateway) -> None:
    client = gateway.client()
    for path in ("/sign-in", "/static/app.css"):
        answer = await client("GET", path, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.text == (await client("GET", path, headers={"Accept-Encoding": "identity"})).text
