"""No code reads back a sentence that it, or another part, has written for a person.

What a value is stands in typed fields (`Source`, `Provenance`); words are made from those. The check reads
the syntax tree: no `in`, no `startswith` and its kin, no regular expression on what is called like prose.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "ragbed"
PROSE = frozenset(
    {
        *("origin", "seen", "source", "tier_source", "detail", "details", "hint", "message", "note", "notes"),
        *("why", "reason", "reasons", "doubt", "remedy", "passed_over", "advice"),
    }
)
"""What sentences are called, as attributes, variables, arguments and functions."""

READING = frozenset(
    {
        *("startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition"),
        *("split", "rsplit", "find", "rfind", "index", "rindex"),
    }
)
MATCHING = frozenset({"search", "match", "fullmatch", "findall", "finditer"})
OTHERS_WORDS = {
    ("contracts/llm/cases_refused.py", "message"): "a server's refusal, whose words the contract is about",
    ("gateway/mock/passages.py", "message"): "what a user writes to a model",
    ("gateway/mock/schema/checking.py", "seen"): "the members that were checked",
    ("qdrant/errors.py", "message"): "the engine's own error, which has no other form",
}
"""What has such a name and is not prose, by file and name."""


class Finder(ast.NodeVisitor):
    """Collects the places of one file that read prose."""

    def __init__(self) -> None:
        self.places: list[tuple[int, str]] = []
        self._bound: dict[str, str] = {}

    def name(self, node: ast.expr) -> str:
        """Return the prose that an expression stands for, by name; empty where it is none."""
        if isinstance(node, ast.Attribute):
            return node.attr if node.attr in PROSE else ""
        if isinstance(node, ast.Name):
            return node.id if node.id in PROSE else self._bound.get(node.id, "")
        if isinstance(node, ast.Call):
            return self.name(node.func)
        return self.name(node.value) if isinstance(node, ast.Subscript) else ""

    def bind(self, target: ast.expr, value: ast.expr) -> None:
        """Remember a variable that holds prose under another name."""
        if isinstance(target, ast.Name) and (prose := self.name(value)):
            self._bound[target.id] = prose

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Forget the variables of the function before."""
        self._bound = {}
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        """A loop over sentences names each."""
        self.bind(node.target, node.iter)
        self.generic_visit(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        """A comprehension does too."""
        for generator in node.generators:
            self.bind(generator.target, generator.iter)
        self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        """As above."""
        for generator in node.generators:
            self.bind(generator.target, generator.iter)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """A variable may hold it."""
        for target in node.targets:
            self.bind(target, node.value)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """`word in prose`."""
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.In, ast.NotIn)):
                self.add(node, self.name(right))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """`prose.startswith(…)`, `pattern.search(prose)`."""
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in READING:
                self.add(node, self.name(node.func.value))
            if node.func.attr in MATCHING:
                for argument in node.args:
                    self.add(node, self.name(argument))
        self.generic_visit(node)

    def add(self, node: ast.AST, prose: str) -> None:
        """Write a place down."""
        if prose:
            self.places.append((getattr(node, "lineno", 0), prose))


def places_in(code: str) -> list[tuple[int, str]]:
    """Return line and name of each place in a program that reads prose."""
    finder = Finder()
    finder.visit(ast.parse(code))
    return finder.places


def test_no_code_reads_a_sentence_back() -> None:
    """In the whole package."""
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: reads {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, name in places_in(path.read_text(encoding="utf-8"))
        if (str(path.relative_to(PACKAGE)), name) not in OTHERS_WORDS
    ]

    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'return bool(wheel and re.search(rf"(?:^|: )wheel {re.escape(wheel.package)}(?: |$)", origin))',
        'return endpoint.origin.startswith("/nix/store/") or endpoint.started_by == "devenv"',
        "if wheel and wheel.package in binary.origin:\n    pass",
        'any(finding.topic in stores and ", found " in finding.seen for finding in report.findings)',
        'return not self.source(setting).startswith(("default", "tier "))',
        'kind = self.source.partition(" ")[0]',
        'where = address.source.removeprefix("environment ")',
        'return f"git rm --cached {path.name}" if "git" in reason else ""',
        'note = facts.on_port.note\nif "ragbed adopt" in note:\n    pass',
        'lines.append(facts.on_port.note.removeprefix(f"{facts.service}: "))',
        'for line in program.search.passed_over:\n    line.startswith(f"{path} ")',
        'source = settings.source(setting)\nreturn source.startswith("environment ")',
        'said = settings.source(setting)\nreturn said.startswith("environment ")',
        'PATTERN.search(error.message)',
        'if "disk" not in error.hint:\n    pass',
    ],
)  # fmt: skip
def test_the_check_finds_what_used_to_be_there(code: str) -> None:
    """Each of these lines was in the package, or could have been."""
    assert len(places_in(f"def old():\n    {code.replace(chr(10), chr(10) + '    ')}")) == 1


@pytest.mark.parametrize(
    "code",
    [
        'if source.kind == "tier":\n    pass',
        "if row.source in prefixes:\n    pass",
        'print(f"{endpoint.origin}: {finding.seen}")',
        '"; ".join(f"{before}{reason}: passed over" for reason in self.reasons)',
        'path.name.startswith("x")',
    ],
)
def test_what_is_made_for_a_person_may_be_shown(code: str) -> None:
    """Typed fields are compared, sentences are put together."""
    assert places_in(code) == []
