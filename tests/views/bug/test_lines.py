"""A round with a line to be picked: no answer before it is asked for, and then what is found."""

import json
from itertools import pairwise

import pytest
from nonempty import nonempty
from snapshots import written

from backprop_nb.checking.line_puzzle import COURSES, Change, LinePuzzle, make_line_puzzle
from backprop_nb.views.bug.answers import reveal
from backprop_nb.views.bug.lines import (
    FINE,
    FOUND,
    OPEN,
    code_picture,
    describe_lines,
    gradient_picture,
    line_scene,
    line_secret,
    solution,
    values_picture,
    verdict,
)

PUZZLE = LinePuzzle(Change("rows", "dh = dscores @ W2.T", "dh = dscores @ W2"))
SCENE = line_scene(PUZZLE, PUZZLE.pickable)
SECRET = line_secret(PUZZLE, PUZZLE.pickable)
NOTHING = {"measured": False, "hints": 0, "tried": [], "given_up": False}


def told(**asked):
    return [note["words"] for note in reveal(SECRET, **NOTHING | asked)["notes"]]


@pytest.mark.parametrize("course", COURSES)
def test_json_can_hold_a_round_of_every_course(course):
    puzzle = make_line_puzzle(0, 1, [course])
    offered = puzzle.offered(0)
    scene, secret = line_scene(puzzle, offered), line_secret(puzzle, offered)
    json.dumps([scene, secret], allow_nan=False)
    assert [each["id"] for each in scene["choices"][0]["choices"]] == list(map(str, offered))
    assert secret["verdicts"].keys() == set(map(str, offered))


def test_before_the_answer_nothing_that_is_shown_tells_it():
    said = "\n".join(describe_lines(PUZZLE, SCENE, measured=False))
    right, repair = PUZZLE.right_line.strip(), PUZZLE.finding.repair
    for text in nonempty([json.dumps(SCENE, ensure_ascii=False), said]):
        assert right not in text.replace("\\n", "\n").splitlines()
        assert f'"{right}"' not in text
        assert repair not in text
        assert PUZZLE.finding.message not in text


def test_a_line_that_is_fine_says_what_it_computes():
    assert verdict(PUZZLE, 12) == {
        "kind": "wrong",
        "title": "No.",
        "words": "Line 12, db2 = dscores.sum(axis=0), is fine. It gives ∂L/∂b2, as it should.",
    }
    assert verdict(PUZZLE, 14)["words"] == (
        "Line 14, dz1 = dh * (z1 > 0), is fine. "
        "With the right values it gives ∂L/∂z1; some that it uses are wrong already."
    )
    assert verdict(PUZZLE, 2)["words"].endswith("is fine. It stands like this in the right pass.")
    recurrent = LinePuzzle(Change("recurrent", "db += dz", "db += dh"))
    broken = LinePuzzle(Change("recurrent", "dh = Wy.T @ dy + dnext", "dh = Wy @ dy + dnext"))
    assert verdict(recurrent, 16)["words"].endswith("It stands like this in the right pass.")
    assert verdict(broken, 16)["words"].endswith("is fine. Some that it uses are wrong already.")


def test_no_wrong_answer_gives_the_right_one_away():
    wrong = [k for k in PUZZLE.pickable if k != PUZZLE.number]
    for k in nonempty(wrong):
        words = verdict(PUZZLE, k)["words"]
        assert f"ine {PUZZLE.number}," not in words
        assert PUZZLE.lines[PUZZLE.number - 1].strip() not in words


def test_the_wrong_line_is_told_as_the_check_tells_it():
    assert verdict(PUZZLE, 13)["kind"] == "right"
    assert told(tried=["13"]) == [
        "Right: line 13, dh = dscores @ W2, is wrong.",
        "dh = dscores @ W2.T",
        f"{PUZZLE.finding.message} {PUZZLE.finding.difference}",
    ]
    assert told(given_up=True)[0] == "line 13, dh = dscores @ W2"
    code = solution(PUZZLE)["code"]
    assert [pair for pair in code if pair[0]] == [
        ("wrong", "    dh = dscores @ W2"),
        ("right", "    dh = dscores @ W2.T"),
    ]
    assert [text for kind, text in code if kind != "right"] == PUZZLE.lines


def test_the_hints_come_nearer():
    assert told(hints=3) == [
        "It is one of the lines 10 to 17.",
        "Look for the line that should give ∂L/∂h, and does not.",
        "Its repair, in words: W2.T in place of W2.",
    ]
    early = LinePuzzle(Change("rows", "scores = h @ W2 + b2", "scores = z1 @ W2 + b2"))
    first = line_secret(early, early.pickable)["hints"][0]["words"]
    assert first == "It is one of the lines 2 to 9."
    nameless = LinePuzzle(Change("recurrent", "dnext = Wh.T @ dz", "dnext = Wh @ dz"))
    second = line_secret(nameless, nameless.pickable)["hints"][1]["words"]
    assert second == "What the line should give is not in the loss: it is a step on the way back."


def test_the_gradients_stand_beside_the_right_ones_once_they_are_checked():
    before, after = (gradient_picture(PUZZLE, measured=m).data() for m in (False, True))
    assert written(before).count("?") == 4
    assert written(after).count("?") == 0
    assert written(after).count("equal") == 2
    assert written(after).count("differs") == 2
    assert (before["width"], before["height"]) == (after["width"], after["height"])
    assert told(measured=True) == ["dW1 and db1 differ in direction; dW2 and db2 are right."]


def test_the_titles_of_vectors_have_room():
    titles = [f"dbiases[{k}]" for k in range(3)]
    shapes = gradient_picture(make_line_puzzle(0, 1, ["lists"]), measured=False).data()["shapes"]
    middles = [each["at"][0] for each in shapes if each.get("text") in titles]
    assert min(b - a for a, b in pairwise(middles)) >= 7 * len(titles[0])


def test_what_the_line_gives_stands_beside_what_it_should_give():
    picture = values_picture(PUZZLE).data()
    assert {"line 13: dscores @ W2", "it gives", "it should", "∂L/∂h"} <= set(written(picture))
    assert sum(shape["kind"] == "heat" for shape in picture["shapes"]) == 3  # with the legend
    forward = LinePuzzle(Change("rows", "scores = h @ W2 + b2", "scores = z1 @ W2 + b2"))
    families = {each.get("family") for each in values_picture(forward).data()["shapes"]}
    assert "value" in families
    assert "adjoint" not in families


def test_the_code_is_a_picture_with_its_marks():
    shown = written(code_picture(PUZZLE, {12: FINE, 13: FOUND, 14: OPEN}).data())
    lines = [line.strip() for line in PUZZLE.lines if line]
    assert lines == [each for each in shown if len(each) > 2 and each not in (FINE, FOUND)]
    # In the words of the other kind of round: a cross beside a line would read as its fault.
    assert shown[shown.index(FINE) + 2] == PUZZLE.lines[11].strip()
    assert shown[shown.index(FOUND) + 2] == "dh = dscores @ W2"
    assert (FOUND, FINE) == ("✓ this one", "✗ not this")
    assert shown.count(OPEN) == 1


def test_the_text_twin_says_which_lines_can_be_picked():
    offered = PUZZLE.offered(0)
    few = describe_lines(PUZZLE, line_scene(PUZZLE, offered), measured=True)
    assert few[-1].startswith("Which line is wrong? It is ")
    assert all(str(k) in few[-1] for k in offered)
    every = describe_lines(PUZZLE, SCENE, measured=True)
    assert every[-1] == "Which line is wrong?"
    assert "  13      dh = dscores @ W2" in every
    flat = " ".join(" ".join(every).split())
    assert "dW1 and db1 differ in direction; dW2 and db2 are right." in flat
