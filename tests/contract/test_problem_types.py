"""Every type of problem that can be answered stands in docs/problems.md, with its status and its sentence."""

import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import services
from services.common.errors import ShowbillError
from services.common.problem import HTTP_STATUS, problem
from services.common.status import RemoteError
from services.gateway.errors import REFUSALS
from services.integrations.failures import KINDS, AdapterError

PAGE = Path(__file__).parents[2] / "docs" / "problems.md"
ROW = re.compile(r"^\| `[a-z0-9-]+` \|.*$", re.MULTILINE)
APART = re.compile(r"\.(__main__|rpc|sandbox|cli)(\.|$)")
"""Programs, what is generated, and what answers no caller of ours."""
OTHERWISE = {"CONNECTION_GONE": 410}
"""What is answered with another status than its kind's, by the route that answers it."""


def raised() -> Iterator[type[ShowbillError]]:
    """Every error that some part of the services may raise in words of its own."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if not APART.search(module.name):
            importlib.import_module(module.name)
    waiting: list[type[ShowbillError]] = [ShowbillError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        # These two carry the words of others.
        if not issubclass(kind, (AdapterError, RemoteError)) and kind.__module__.startswith("services."):
            yield kind


def rows() -> list[str]:
    """The table as it should be."""
    found: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
    for error in raised():
        sentence = inspect.cleandoc(error.__doc__ or "").replace("\n", " ")
        status = getattr(error, "http_status", OTHERWISE.get(error.reason, HTTP_STATUS[error.kind][0]))
        found[error.reason.lower().replace("_", "-")].add((status, re.sub(r"\{\w+\}", "…", sentence)))
    for failure, kind in KINDS.items():
        found[failure.name.lower().replace("_", "-")].add((HTTP_STATUS[kind][0], "What the provider said, in words."))
    for status, (name, _, sentence) in REFUSALS.items():
        found[name].add((status, sentence))
    return [
        f"| `{name}` | {', '.join(sorted({str(status) for status, _ in told}))} "
        f"| {' / '.join(sorted({sentence for _, sentence in told}))} |"
        for name, told in sorted(found.items())
    ]


def test_the_page_has_every_type_of_problem() -> None:
    wanted = rows()
    assert ROW.findall(PAGE.read_text(encoding="utf-8")) == wanted, "docs/problems.md should have:\n" + "\n".join(
        wanted
    )


def test_every_problem_is_a_finished_sentence_under_its_own_type() -> None:
    for error in raised():
        text = inspect.cleandoc(error.__doc__ or "")
        assert text.endswith((".", "}")), error
        told = problem(error(text), "request")
        assert told["type"] == "urn:showbill:problem:" + error.reason.lower().replace("_", "-"), error
        assert told["status"] == HTTP_STATUS[error.kind][0], error
