"""A test that cannot fail protects nothing: what the suite owes itself, read off its source."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = sorted(path for path in TESTS.rglob("test_*.py") if path != Path(__file__))


def loops_for_sure(loop: ast.AST) -> bool:
    """Whether a loop runs at least once, as far as its source tells."""
    if not isinstance(loop, ast.For):
        return False
    match loop.iter:
        case ast.Tuple(elts=found) | ast.List(elts=found) | ast.Set(elts=found):
            return bool(found)
        case ast.Dict(keys=found):
            return bool(found)
        case ast.Constant(value=str(text)):
            return bool(text)
        case ast.Call(func=ast.Name(id="nonempty")):  # which fails on nothing
            return True
        case ast.Call(func=ast.Name(id="range"), args=[*_, ast.Constant()] | [ast.Constant()]):
            return True
        case ast.Call(func=ast.Name(id="enumerate" | "zip" | "reversed"), args=[first, *_]):
            return loops_for_sure(ast.For(target=loop.target, iter=first, body=[]))
        case ast.Call(func=ast.Attribute(value=value, attr="items" | "values" | "keys")):
            return loops_for_sure(ast.For(target=loop.target, iter=value, body=[]))
    # A constant of the module, which a reader can see is not empty.
    return isinstance(loop.iter, ast.Name) and loop.iter.id.isupper()


def expectations(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what can fail a test, other than inside of a loop that may be empty."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Assert(test=test):
                if not may_be_empty(test):
                    yield node
            case ast.With(items=items) if any("raises" in ast.unparse(i) for i in items):
                yield node
            case ast.With(items=items) if any("warns" in ast.unparse(i) for i in items):
                yield node
            case ast.Call(func=function) if is_a_check(ast.unparse(function)):
                yield node
            case ast.For() | ast.While() | ast.AsyncFor():
                if loops_for_sure(node):
                    yield from expectations(node)
            case ast.FunctionDef() | ast.Lambda():
                pass  # it may never be called
            case _:
                yield from expectations(node)


# What raises where something is wrong, besides what is called so.
RAISES = {"compare", "define_rule", "dumps", "fail", "parse", "run", "run_all", "simplefilter"}
CHECKS = ("assert_", "check", "expect", "raises", "same_as", "validate", "wait_for")


def is_a_check(function: str) -> bool:
    """Whether a call fails if something is wrong: one of NumPy, of the browser, a helper."""
    name = function.rpartition(".")[2]
    return name.startswith(CHECKS) or name in RAISES


def may_be_empty(test: ast.expr) -> bool:
    """Whether an assertion is ``all(... for ...)``, which is true of nothing at all."""
    match test:
        case ast.Call(func=ast.Name(id="all"), args=[ast.GeneratorExp(generators=[first, *_])]):
            return not loops_for_sure(ast.For(target=first.target, iter=first.iter, body=[]))
    return False


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_each_test_expects_something_for_sure(path):
    weak = [
        f"line {test.lineno}: {test.name}"
        for test in functions(path)
        if not any(expectations(test))
    ]
    assert weak == []


@pytest.mark.parametrize(
    "body",
    [
        "for node in graph.nodes:\n        assert node.ok",
        "assert all(node.ok for node in graph.nodes)",
        "value = 1",
        "def inner():\n        assert False",
    ],
)
def test_a_test_that_may_expect_nothing_is_found(body):
    [test] = ast.parse(f"def test_it(graph):\n    {body}").body
    assert not any(expectations(test))


@pytest.mark.parametrize(
    "body",
    [
        "assert graph.nodes",
        "for k in (1, 2):\n        assert graph.nodes[k].ok",
        "for node in nonempty(graph.nodes):\n        assert node.ok",
        "with pytest.raises(ValueError):\n        graph.node('y')",
    ],
)
def test_what_can_fail_is_fine(body):
    [test] = ast.parse(f"def test_it(graph):\n    {body}").body
    assert any(expectations(test))


TOP = {
    *(".ci", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CITATION.cff"),
    *("CONTRIBUTING.md", "LICENSE", "README.md", "backprop_nb", "binder", "findings"),
    *("notebooks", "pyproject.toml", "tests"),
}


def test_nothing_else_lies_at_the_top():
    root = Path(__file__).parent.parent
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    if listed.returncode:  # a copy, of which git knows nothing
        pytest.skip("git tells what belongs to the project")
    assert {each.partition("/")[0] for each in listed.stdout.splitlines()} == TOP
