"""What is told of a line that is written otherwise, put into the student's line as it is told."""

import ast
import copy
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest
from followed import followed

from backprop_nb.checking.lines.missing import additions
from backprop_nb.checking.lines.program import blocks
from backprop_nb.checking.lines.rewrites import Written
from backprop_nb.checking.lines.scope import Scope
from backprop_nb.checking.lines.ways import rewrites

STUDENT = """import numpy as np


def slope(z):
    return 1 - np.tanh(z) ** 2


def student(X, W, V, y, k):
    z = X @ W
    h = np.tanh(z)
    d = (h @ V - y) / len(X)
    s = (1 - h) ** 2
    e = d @ V.T * -s
    e[h <= 0] = 0
    g = e.copy()
    g *= 1 - h
    p = 2 * (g - h) ** 2 - np.sum(g, axis=0)
    q = -(z - h).T @ X + (W * W - W).T / X.size
    t = [z, h][k - 1] * (p > 0) / np.max(p + 1)
    dW = q.T @ np.mean(t - g, axis=0) if k else q
    return dW, np.sum(s * t - d[0, 0], axis=1), {"a": p - q[0, 0]}["a"]
"""


def answer(text, args):
    """Return what a text's function gives; None where it raises."""
    names = {}
    with np.errstate(all="ignore"):
        try:
            exec(compile(text, "student", "exec"), names)
            return [np.asarray(each) for each in names["student"](*copy.deepcopy(args))]
        except (ArithmeticError, IndexError, KeyError, TypeError, ValueError):
            return None


def same(one, other):
    if one is None or other is None:
        return one is other
    pairs = zip(one, other, strict=True)
    return all(a.shape == b.shape and np.allclose(a, b, equal_nan=True) for a, b in pairs)


def put_in(root, new):
    """Return the text with one statement written otherwise; None if that is no Python."""
    lines = STUDENT.splitlines()
    lines[root.lineno - 1 : root.end_lineno] = textwrap.indent(new, "    ").splitlines()
    try:
        return ast.dump(ast.parse("\n".join(lines))) and "\n".join(lines)
    except SyntaxError:
        return None


@pytest.mark.parametrize("ways", [rewrites, additions])
def test_what_is_told_is_what_was_tried_when_it_is_pasted_as_it_stands(ways, written):
    """Brackets, which of several names, and what "it" is: of every line and every way to write it.

    Whatever is not the same text is the same result.
    """
    rng, student = np.random.default_rng(0), written(STUDENT).student
    args = [*(rng.normal(size=shape) for shape in [(4, 3), (3, 3), (3, 2), (4, 2)]), 1]
    [block] = [each for each in blocks(student, args) if student in each.functions]
    scope, wrong, count = Scope(block, ["slope"], {2.0: "2", 0.5: "1/2"}), [], 0
    for statement in block.statements:
        for rewrite in ways(scope, statement):
            way = Written(block, rewrite, frozenset())
            meant = put_in(statement, ast.unparse(rewrite.way))
            if meant is None or rewrite.root is not statement:
                continue
            count += 1
            words, marked = rewrite.words(way.shown), block.source(way.shown)
            told = followed(STUDENT, SimpleNamespace(repair=words, source=marked))
            is_text = ast.dump(ast.parse(told)) == ast.dump(ast.parse(meant))
            if not (is_text or same(answer(told, args), answer(meant, args))):
                wrong.append(f"{marked}: {words}, for {ast.unparse(rewrite.way)}")
    assert count > 1000
    assert wrong == []
