"""Every type of problem that can be answered stands in docs/problems.md, with its status and its sentence."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
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
    """The parts of each type's sentences that are always the same, and no other type's too."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for error in raised():
        parts = re.split(r"\{\w+\}|\. ", inspect.cleandoc(error.__doc__ or "").replace("\n", " "))
        found[error.reason].update(part.strip(" ,.") for part in parts if len(part) > _SHORT)
    for name, _, sentence in REFUSALS.values():
        found[name.upper().replace("-", "_")].add(sentence)
    often = Counter(part for parts in found.values() for part in parts)
    return {reason: {part for part in parts if often[part] == 1} for reason, parts in found.items()}


@dataclass
class Looked:
    """What tests look for: the texts and the names in what they assert, expect to be raised, or are given to expect."""

    texts: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def take(self, tree: ast.AST) -> None:
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)):
                    self.texts.add(text)
                case ast.Constant(value=bytes(data)):
                    self.texts.add(data.decode("latin-1"))
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    self.names.add(name)


def looked_for() -> Looked:
    found = Looked()
    for file in TESTS.rglob("test_*.py"):
        for part in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name.startswith("test_"):
                for tree in [*part.decorator_list, *filter(_expects, ast.walk(part))]:
                    found.take(tree)
    return found


def _expects(node: ast.AST) -> bool:
    """Whether it is `assert`, or `pytest.raises(…)`: that a test only mentions a type, or sends it, proves nothing."""
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(node, ast.Assert) or (isinstance(called, ast.Attribute) and called.attr == "raises")


def test_every_type_of_problem_is_provoked_by_a_test() -> None:
    """Known by its type, its reason, its class or its sentence in what a test expects; none is excused."""
    looked = looked_for()
    long = [text for text in looked.texts if len(text) > _SHORT]
    told = sentences()
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for error in raised():
        if error.__subclasses__() == []:  # else it stands for more than its own type
            classes[error.reason].add(error.__name__)
    unseen = []
    for row in rows():
        name = row.split("`")[1]
        reason = name.upper().replace("-", "_")
        exact = {name, f"urn:showbill:problem:{name}", reason} & looked.texts or classes[reason] & looked.names
        said = any(text in part or part in text for part in told.get(reason, ()) for text in long)
        if not exact and not said:
            unseen.append(name)
    assert unseen == []
