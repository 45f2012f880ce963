"""What a round can tell: true, only what is asked for, and at its price."""

import json

import pytest

from backprop_nb.checking.mistakes import find
from backprop_nb.checking.puzzle import PLAYABLE, Problem, Puzzle
from backprop_nb.views.bug.answers import reveal, secret, solution, verdict, worth
from backprop_nb.views.bug.scene import comparison_in_words

PROBLEM = Problem.drawn(0)
PUZZLE = Puzzle(find("sign_flipped"), PROBLEM)
SECRET = secret(PUZZLE, PLAYABLE)
NOTHING = {"measured": False, "hints": 0, "tried": [], "given_up": False}


def kinds(**asked):
    return [note["kind"] for note in reveal(SECRET, **NOTHING | asked)["notes"]]


def test_only_what_is_asked_for_is_told():
    assert reveal(SECRET, **NOTHING) == {
        "picture": None,
        "notes": [],
        "solved": False,
        "solution": None,
        "worth": 6,
    }
    assert kinds(measured=True, hints=2) == ["measured", "hint", "hint"]
    assert reveal(SECRET, **NOTHING | {"measured": True})["picture"] == SECRET["picture"]


def test_the_solution_comes_with_the_right_answer_or_when_it_is_asked_for():
    assert kinds(tried=["missing_factor_2"]) == ["wrong"]
    assert kinds(tried=["missing_factor_2", "sign_flipped"])[:2] == ["wrong", "right"]
    for asked in ({"tried": ["sign_flipped"]}, {"given_up": True}):
        assert reveal(SECRET, **NOTHING | asked)["solution"]["id"] == "sign_flipped"
    # Who has found it needs not be told what it is.
    assert "It is:" in [note["title"] for note in SECRET["solution"]["notes"]]
    found = reveal(SECRET, **NOTHING | {"tried": ["sign_flipped"]})
    assert "It is:" not in [note["title"] for note in found["notes"]]


def test_help_and_wrong_answers_cost_but_never_all():
    assert [worth(0, 0, 0), worth(1, 0, 1), worth(1, 2, 1), worth(1, 3, 4)] == [6, 3, 1, 1]
    wrong = [each.id for each in PLAYABLE if each.id != "sign_flipped"]
    for tried in ([], wrong[:1], wrong, [*wrong[:2], "sign_flipped"]):
        asked = {"measured": True, "hints": 1, "tried": tried, "given_up": False}
        count = len(set(tried) & set(wrong))
        assert reveal(SECRET, **asked)["worth"] == worth(1, 1, count)


@pytest.mark.parametrize("mistake", PLAYABLE, ids=lambda mistake: mistake.id)
def test_json_can_hold_what_every_mistake_tells(mistake):
    json.dumps(secret(Puzzle(mistake, PROBLEM), PLAYABLE[:6]), allow_nan=False)


def test_a_wrong_answer_is_told_what_would_be_otherwise():
    puzzle = Puzzle(find("sign_flipped"), PROBLEM)
    assert verdict(puzzle, find("missing_factor_2")) == {
        "kind": "wrong",
        "title": "✗",
        "words": "Not “The factor 2 is missing”. With it ∂L/∂A_2 would be 0.5 times what is "
        "right; here it is −1 times what is right.",
    }
    words = verdict(puzzle, find("sigma_prime_missing_in_hidden"))["words"]
    assert words.endswith("would be right; here it is −1 times what is right.")
    puzzle = Puzzle(find("sigma_prime_missing_at_output"), PROBLEM)
    words = verdict(puzzle, find("cross_entropy_delta"))["words"]
    assert "would have" in words
    assert "here it has" in words


def test_no_wrong_answer_gives_the_right_one_away():
    for mistake in PLAYABLE:
        puzzle = Puzzle(mistake, PROBLEM)
        for other in PLAYABLE:
            if other is not mistake:
                assert mistake.title not in verdict(puzzle, other)["words"]


def test_a_right_answer_is_told_so():
    puzzle = Puzzle(find("sign_flipped"), PROBLEM)
    assert verdict(puzzle, puzzle.mistake) == {
        "kind": "right",
        "title": "✓",
        "words": "Right: the sign is flipped.",
    }
    puzzle = Puzzle(find("sigma_prime_twice"), PROBLEM)
    assert verdict(puzzle, puzzle.mistake)["words"] == "Right: σ′ is applied twice."


def test_measuring_says_what_is_right_and_what_is_not():
    words = comparison_in_words(Puzzle(find("averaged_once_per_layer"), PROBLEM))
    assert words == (
        "By central differences, last layer first: ∂L/∂A_2 and ∂L/∂b_2 are right; "
        "∂L/∂A_1 and ∂L/∂b_1 are 0.3333 times what is right; "
        "∂L/∂A_0 and ∂L/∂b_0 are 0.1111 times what is right."
    )


@pytest.mark.parametrize("mistake", PLAYABLE, ids=lambda mistake: mistake.id)
def test_the_solution_shows_the_wrong_lines_and_behind_them_the_right_ones(mistake):
    told = solution(mistake)
    kinds = [kind for kind, _ in told["code"]]
    assert "wrong" in kinds
    assert kinds.count("right") == len(mistake.steps)
    assert kinds.index("wrong") < kinds.index("right")
    words = [note["words"] for note in told["notes"]]
    assert words[0] == f"{mistake.title}."
    assert mistake.explanation in words[1]
    assert mistake.first.title in words[1]
    assert words[2:] == ([f"equation [{mistake.equation}]:"] if mistake.equation else [])
