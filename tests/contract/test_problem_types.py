"""Every type of problem that can be answered stands in docs/problems.md, with its status and its sentence."""

import ast
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

TESTS = Path(__file__).parents[1]
PAGE = Path(__file__).parents[2] / "docs" / "problems.md"
ROW = re.compile(r"^\| `[a-z0-9-]+` \|.*$", re.MULTILINE)
APART = re.compile(r"\.(__main__|rpc|sandbox|cli)(\.|$)")
"""Programs, what is generated, and what answers no caller of ours."""
_SHORT = 15
"""Letters, up to which a text may stand in a test for other reasons."""
OTHERWISE = {"CONNECTION_GONE": 410}
"""What is answered with another status than its kind's, by the route that answers it."""

NOT_ASKED_FOR = {
    "not-applied": "the sentence of a reading in the background that failed",
    "not-finalized": "the sentence of an invoice that is tried again in the background",
    "beside-settled": "of two operators at the same moment: the plan settles it first",
}
"""What no request alone can bring about, and why."""


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


def sentences() -> dict[str, set[str]]:
    """The parts of each type's sentences that are always the same."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for error in raised():
        parts = re.split(r"\{\w+\}|\. ", inspect.cleandoc(error.__doc__ or "").replace("\n", " "))
        found[error.reason].update(part.strip(" ,.") for part in parts if len(part) > _SHORT)
    for name, _, sentence in REFUSALS.values():
        found[name.upper().replace("-", "_")].add(sentence)
    return found


def words_of_tests() -> set[str]:
    """Every text and name that stands in a test function."""
    words: set[str] = set()
    for file in TESTS.rglob("test_*.py"):
        if file == Path(__file__):
            continue
        for part in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name.startswith("test_"):
                words.update(word for node in ast.walk(part) if (word := _word(node)))
    return words


def _word(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bytes(data)):
            return data.decode("latin-1")
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def test_every_type_of_problem_is_looked_for_by_a_test() -> None:
    """By its type, its reason, or its sentence: a type that nothing provokes is one that nobody has seen."""
    words = words_of_tests()
    long = [word for word in words if len(word) > _SHORT]
    told = sentences()
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for error in raised():
        if error.__subclasses__() == []:  # else it stands for more than its own type
            classes[error.reason].add(error.__name__)
    unseen = []
    for row in rows():
        name = row.split("`")[1]
        reason = name.upper().replace("-", "_")
        exact = {name, f"urn:showbill:problem:{name}", reason, *classes[reason]} & words
        said = any(word in part or part in word for part in told[reason] for word in long)
        if not exact and not said:
            unseen.append(name)
    assert sorted(unseen) == sorted(NOT_ASKED_FOR)
