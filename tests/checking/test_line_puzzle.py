"""A pass with one line changed: what is right is certain, and what is told of a line is true."""

import linecache

import numpy as np
import pytest
from followed import followed
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.checking.line_puzzle import (
    COURSES,
    FEW,
    Change,
    LinePuzzle,
    changes,
    make_line_puzzle,
)

CHANGES = changes(COURSES, forward=True)
TURNED = ("return 1 / (1 + np.exp(z))", "dx = dout @ W")
PUZZLES = {change: LinePuzzle(change) for change in CHANGES}  # what they tell is found when asked
ANY = PUZZLES[Change("rows", "dh = dscores @ W2.T", "dh = dscores @ W2")]


def of(course):
    return next(each for change, each in PUZZLES.items() if change.course == course)


def test_every_course_has_enough_rounds():
    for course in nonempty(COURSES):
        backward = changes([course], forward=False)
        assert len(backward) >= 5
        assert len(set(changes([course], forward=True))) > len(backward)


@pytest.mark.parametrize("course", COURSES)
def test_the_right_pass_is_accepted(course):
    puzzle = of(course)
    assert bp.check_gradient(puzzle.loss, puzzle.right, *puzzle.args).ok


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: f"{each.course}: {each.wrong}")
def test_the_wrong_pass_is_refused_at_the_changed_line_and_no_other(change):
    puzzle = PUZZLES[change]
    assert not puzzle.report.ok
    assert [each.line for each in puzzle.report.findings if each.line is not None] == [
        puzzle.number
    ]
    finding = puzzle.finding
    assert (finding.line, finding.rank) == (puzzle.number, 1)
    # What this line alone reads may have to be turned where it is made, for all that is known.
    assert finding.proved is (change.wrong not in TURNED)
    assert finding.repair
    assert finding.difference
    # The numbers decide, and no shape: every wrong pass runs.
    assert all(each.given is not None for each in puzzle.report.parameters)


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: f"{each.course}: {each.wrong}")
def test_one_line_is_changed_and_can_be_picked(change):
    puzzle = PUZZLES[change]
    right = puzzle.lines.copy()
    right[puzzle.number - 1] = puzzle.right_line
    theirs = LinePuzzle(Change(change.course, change.right, change.right))  # nothing is changed
    assert right == theirs.lines
    pairs = enumerate(zip(right, puzzle.lines, strict=True), start=1)
    assert [k for k, (one, other) in pairs if one != other] == [puzzle.number]
    assert puzzle.number in puzzle.pickable


def test_lines_that_begin_a_function_or_are_empty_cannot_be_picked():
    puzzle = of("lists")
    rest = [line for k, line in enumerate(puzzle.lines, 1) if k not in puzzle.pickable]
    assert [line for line in rest if line] == [
        "def sigmoid(z):",
        "def sigmoid_prime(z):",
        "def backprop(biases, weights, x, y):",
    ]


def test_the_arguments_are_new_each_time():
    before = ANY.args
    before[0][:] = np.nan
    assert np.isfinite(ANY.args[0]).all()


# --- what a line that is fine is said to compute ----------------------------------------------


def run(puzzle, lines):
    """Run the body of a pass that is one function without a loop; return all of its variables."""
    names = dict(zip(puzzle.loss.__code__.co_varnames, puzzle.args, strict=False)) | {"np": np}
    body = "\n".join(line.strip() for line in lines if not line.startswith("def "))
    exec(body.rpartition("\n")[0], names)  # without its return
    return names


@pytest.mark.parametrize("course", ["rows", "columns"])
def test_what_a_line_is_said_to_give_is_what_it_gives(course):
    for change in nonempty(changes([course], forward=True)):
        puzzle = PUZZLES[change]
        right = puzzle.lines.copy()
        right[puzzle.number - 1] = puzzle.right_line
        theirs, ours = run(puzzle, right), run(puzzle, puzzle.lines)
        floats = [each for each in puzzle.args if np.asarray(each).dtype.kind != "i"]
        labels = {"y": puzzle.args[-1]} if course == "rows" else {}
        adjoint = bp.trace(puzzle.loss, *floats, **labels).backward().adjoint
        for k, facts in nonempty(puzzle.facts.items()):
            name = right[k - 1].split()[0].partition("[")[0]
            if name in ("dscores", "return") or not facts.quantities:
                continue
            [text] = facts.quantities
            scale, _, symbol = text.rpartition(" · ")
            if symbol.startswith("∂L/∂"):
                true = adjoint(symbol.removeprefix("∂L/∂"))
            else:
                true = theirs[symbol]
            np.testing.assert_allclose(theirs[name], float(scale or 1) * true, rtol=1e-9)
            assert facts.is_right == np.allclose(theirs[name], ours[name], rtol=1e-9)


def test_what_uses_something_wrong_is_told_from_what_is_right():
    facts = ANY.facts
    assert ANY.number == 13
    assert facts[13].quantities == ("∂L/∂h",)
    assert (facts[12].quantities, facts[12].is_right) == (("∂L/∂b2",), True)
    assert (facts[14].quantities, facts[14].is_right) == (("∂L/∂z1",), False)
    assert (facts[9].quantities, facts[9].is_right) == (("5 · ∂L/∂scores",), True)
    assert (facts[2].quantities, facts[2].is_right) == ((), True)


def test_a_helper_is_right_where_it_is_called_less_often():
    puzzle = PUZZLES[
        Change("lists", "return sigmoid(z) * (1 - sigmoid(z))", "return 1 - sigmoid(z)")
    ]
    assert (puzzle.lines[1], puzzle.number) == ("    return 1 / (1 + np.exp(-z))", 5)
    assert puzzle.facts[2].quantities == ("a1", "a2", "a3")
    assert puzzle.facts[2].is_right
    assert not puzzle.facts[16].is_right  # which calls the wrong one


def test_a_line_that_calls_a_helper_gives_what_the_helper_returns():
    facts = of("layers").facts
    assert facts[20].quantities == facts[11].quantities == ("∂L/∂z1",)
    assert facts[15].quantities == ("z1",)


# --- the rounds -------------------------------------------------------------------------------


def test_every_change_comes_once_before_any_comes_again():
    count = len(changes(["rows"], forward=False))
    rounds = [make_line_puzzle(3, k, ["rows"]).change for k in range(1, 2 * count + 1)]
    assert set(rounds[:count]) == set(rounds[count:]) == set(changes(["rows"], forward=False))
    assert rounds[:count] != rounds[count:]
    assert make_line_puzzle(3, 2, ["rows"]).change == rounds[1]


def test_the_forward_pass_is_wrong_only_where_that_is_asked_for():
    only = set(changes(["columns"], forward=True)) - set(changes(["columns"], forward=False))
    count = len(changes(["columns"], forward=True))
    rounds = {make_line_puzzle(0, k, ["columns"], forward=True).change for k in range(1, count + 1)}
    assert only < rounds


def test_the_courses_can_be_mixed():
    assert {make_line_puzzle(0, k, COURSES).change.course for k in range(1, 30)} == set(COURSES)


def test_a_few_lines_hold_the_wrong_one_at_any_place():
    places = set()
    for change in nonempty(CHANGES):
        puzzle = PUZZLES[change]
        offered = puzzle.offered(0, 1)
        assert len(set(offered)) == FEW
        assert offered == puzzle.offered(0, 1) == sorted(offered)
        assert set(offered) <= set(puzzle.pickable)
        places.add(offered.index(puzzle.number))
    assert places == set(range(FEW))


def test_the_text_of_a_pass_is_not_lost_with_those_of_others():
    puzzle = LinePuzzle(Change("rows", "dh = dscores @ W2.T", "dh = dscores @ W2"))
    for name in [name for name in linecache.cache if name.startswith("<a pass in rows")]:
        del linecache.cache[name]  # as a template of Tornado's does with every text
    assert puzzle.finding.line == puzzle.number
    assert puzzle.facts[3].quantities == ("z1",)


@pytest.mark.parametrize(
    "change", changes(["rows"], forward=False), ids=lambda change: change.wrong
)
def test_what_is_told_of_a_line_in_rows_is_what_stands_in_the_right_one(change):
    """The game shows both, one below the other."""
    puzzle = LinePuzzle(change)
    text = "\n".join(puzzle.lines)
    mended = followed(text, puzzle.finding).splitlines()[puzzle.number - 1]
    assert mended.strip() == puzzle.right_line.strip()
