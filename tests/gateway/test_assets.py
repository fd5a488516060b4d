"""The files that pages use: what is said of those from elsewhere is true, and no page needs what is forbidden."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from services.gateway.dashboard.views.statuses import BADGES
from services.gateway.lean import lean
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


COLOURS = {
    "gray": ["draft", "show-draft", "show-paused", "show-ended", "claim-released", "claim-passed"],
    "blue": ["sent", "claim-waitlist"],
    "green": ["paid", "connected", "livemode", "claim-winner"],
    "red": ["error", "show-active"],
    "amber": ["failed", "attention", "test"],
    "iris": ["creating"],
    "none": ["void", "uncollectible", "queued"],
}


def test_every_state_has_its_colour_and_a_drawing() -> None:
    css, sprite = (STATIC / "app.css").read_text(), (STATIC / "icons.svg").read_text()
    painted = {
        state: colour.removeprefix("var(--").removesuffix("-b)")
        for states, colour in re.findall(r"\.badge((?::is\()?\[data-s=[^{]+) \{ background: ([^;]+);", css)
        for state in re.findall(r'data-s="([\w-]+)"', states)
    }
    assert {state: painted.get(state, "gray") for state in BADGES} == {
        state: colour for colour, states in COLOURS.items() for state in states
    }
    assert not [icon for _, icon in BADGES.values() if f'id="i-{icon}"' not in sprite]


@pytest.mark.parametrize(
    ("pages", "scripts", "sheets"),
    [
        ("shows", ["app.js", "live.js", "show.js"], []),
        ("items and buyers", ["app.js", "live.js", "cells.js"], []),
        ("providers", ["app.js", "keys.js"], ["sample.css"]),
        ("desk", ["app.js", "live.js", "desk.js"], ["desk.css"]),
    ],
)
async def test_scripts_and_sheets_stay_small(
    gateway: Gateway, pages: str, scripts: list[str], sheets: list[str]
) -> None:
    async def sent(names: list[str]) -> int:
        answers = [await gateway.client()("GET", f"/static/{name}") for name in names]
        return sum(len(gzip.compress(answer.text.encode(), 6)) for answer in answers)

    assert await sent(["htmx.min.js", *scripts]) <= 22_000
    assert await sent(["app.css", *sheets]) <= 12_000


def test_what_travels_says_what_the_files_say() -> None:
    css = b"/* a */\n.a > .b, a:hover {\n margin: 0 auto;\n}\n@media (min-width: 1px) { .d { top: calc(1px + 2px); } }"
    assert lean("x.css", css) == (b".a > .b,a:hover{margin:0 auto;}@media (min-width:1px){.d{top:calc(1px + 2px);}}")
    assert lean("x.js", b"/* a\n b */\nlet a = 1;  // kept\n  /* c */\n  let b = '/* d */';\n") == (
        b"let a = 1;  // kept\nlet b = '/* d */';"
    )
    assert lean("x.min.js", css) == css


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
