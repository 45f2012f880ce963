"""A round as plain data: true numbers, no answer before it is asked for, one picture for all."""

import json

import numpy as np
import pytest

from backprop_nb.checking.mistakes import find
from backprop_nb.checking.puzzle import EPOCHS, PLAYABLE, STAGES, Problem, Puzzle, stage_of
from backprop_nb.views import numbers
from backprop_nb.views.bug.scene import (
    bug_scene,
    describe_round,
    gradient_picture,
    measurement,
    solution,
    verdict,
)
from backprop_nb.views.picture import patched

PROBLEM = Problem.drawn(0)


def texts(picture):
    return [shape["text"] for shape in picture["shapes"] if shape["kind"] == "text"]


def scene_of(name, code=False):
    puzzle = Puzzle(find(name), PROBLEM)
    return puzzle, bug_scene(puzzle, PLAYABLE, code=code)


@pytest.mark.parametrize("mistake", PLAYABLE, ids=lambda mistake: mistake.id)
def test_every_mistake_makes_a_scene_that_json_can_hold(mistake):
    puzzle, scene = scene_of(mistake.id, code=True)
    everything = [scene, measurement(puzzle), solution(puzzle)]
    json.dumps(everything, allow_nan=False)
    assert len(scene["frames"]) == EPOCHS + 1
    for frame in scene["frames"]:
        for name in ("loss", "flow"):
            for shape in patched(scene[name], frame["patch"])["shapes"]:
                x = shape["box"][0] + shape["box"][2] if "box" in shape else 0
                assert 0 <= x <= scene[name]["width"]


def test_a_frame_has_the_numbers_of_its_epoch():
    puzzle, scene = scene_of("sign_flipped")
    broken, right = puzzle.runs
    frame = scene["frames"][20]
    assert numbers.long(broken.loss[20]) in frame["words"]
    assert numbers.long(right.loss[20]) in frame["words"]
    assert frame["patch"]["loss:broken"] == {"cut": 21}
    assert frame["patch"]["norm:1:broken"]["text"] == numbers.short(broken.norms[20][1])
    assert frame["patch"]["norm:2:right"]["text"] == numbers.short(right.norms[20][2])
    assert frame["patch"].keys() <= {
        shape.get("key") for name in ("loss", "flow") for shape in scene[name]["shapes"]
    }


def test_a_training_that_blows_up_ends_and_says_so():
    puzzle, scene = scene_of("sigma_prime_formula_on_z")
    end = len(puzzle.runs[0].loss)
    assert end <= EPOCHS
    assert "infinite or NaN" in scene["frames"][end]["words"]
    assert "infinite or NaN" not in scene["frames"][end - 1]["words"]
    assert scene["frames"][-1]["patch"]["loss:broken"] == {"cut": end}
    assert scene["frames"][-1]["patch"]["norm:0:broken"]["text"] == "none"


def test_the_gradients_are_those_of_the_pass_and_then_the_measured_ones():
    puzzle = Puzzle(find("weights_not_transposed"), PROBLEM)
    given = [numbers.short(x) for side in puzzle.gradient() for a in side for x in a.ravel()]
    shown = texts(gradient_picture(puzzle, measured=False).data())
    assert set(given) <= set(shown)
    assert shown.count("?") == 6
    after = texts(gradient_picture(puzzle, measured=True).data())
    expected = [numbers.short(x) for side in puzzle.measured for a in side for x in a.ravel()]
    assert set(given) | set(expected) <= set(after)
    assert after.count("equal") == 2
    assert after.count("differs") == 4


def test_nothing_moves_when_the_measured_gradient_comes():
    puzzle = Puzzle(find("sign_flipped"), PROBLEM)
    before, after = (gradient_picture(puzzle, measured=m).data() for m in (False, True))
    assert (before["width"], before["height"]) == (after["width"], after["height"])
    assert texts(before)[:8] == texts(after)[:8]


def test_before_the_answer_the_scene_and_its_words_do_not_tell_it():
    for mistake in PLAYABLE:
        puzzle, scene = scene_of(mistake.id)
        told = json.dumps({**scene, "choices": []}, ensure_ascii=False)
        said = "\n".join(describe_round(puzzle, {**scene, "choices": []}, measured=True))
        for text in (told, said):
            assert mistake.id not in text
            assert mistake.title not in text
            assert not any(hint in text for hint in mistake.hints)


def test_a_wrong_answer_is_told_what_would_be_otherwise():
    puzzle = Puzzle(find("sign_flipped"), PROBLEM)
    assert verdict(puzzle, find("missing_factor_2")) == {
        "right": False,
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
        "right": True,
        "words": "Right: the sign is flipped.",
    }
    puzzle = Puzzle(find("sigma_prime_twice"), PROBLEM)
    assert verdict(puzzle, puzzle.mistake)["words"] == "Right: σ′ is applied twice."


def test_measuring_says_what_is_right_and_what_is_not():
    words = measurement(Puzzle(find("averaged_once_per_layer"), PROBLEM))["words"]
    assert words == (
        "By central differences, last layer first: ∂L/∂A_2 and ∂L/∂b_2 are right; "
        "∂L/∂A_1 and ∂L/∂b_1 are 0.3333 times what is right; "
        "∂L/∂A_0 and ∂L/∂b_0 are 0.1111 times what is right."
    )


@pytest.mark.parametrize("mistake", PLAYABLE, ids=lambda mistake: mistake.id)
def test_the_solution_shows_the_wrong_lines_and_behind_them_the_right_ones(mistake):
    told = solution(Puzzle(mistake, PROBLEM))
    kinds = [kind for kind, _ in told["code"]]
    assert "wrong" in kinds
    assert kinds.count("right") == len(mistake.changes)
    assert kinds.index("wrong") < kinds.index("right")
    assert (told["equation"] or {"tag": ""})["tag"] == mistake.equation
    assert mistake.first.title in told["first"]


def test_the_heat_is_that_of_the_numbers():
    puzzle = Puzzle(find("sign_flipped"), PROBLEM)
    before = gradient_picture(puzzle, measured=False).data()
    cells = [s for s in before["shapes"] if s["kind"] == "rect" and s.get("radius") == 2]
    entries = np.concatenate(
        [a.ravel() for pair in zip(*puzzle.gradient(), strict=True) for a in pair]
    )
    signs = [np.sign(cell["fill"][1]) for cell in cells]
    np.testing.assert_array_equal(signs, np.sign(entries))


def test_many_choices_stand_by_stage_in_the_scene_and_in_words():
    puzzle, many = scene_of("sign_flipped")
    few = bug_scene(puzzle, PLAYABLE[:6], code=False)
    assert {each["stage"] for each in few["choices"]} == {""}
    assert [each["stage"] for each in many["choices"]] == [stage_of(each) for each in PLAYABLE]
    said = describe_round(puzzle, many, measured=False)
    assert [line for line in said if line[:-1] in STAGES] == [f"{stage}:" for stage in STAGES]
    place = said.index("the slope σ′:")
    assert said[place + 1] == "  σ′ is missing everywhere"


def test_a_round_is_the_same_as_before(same_as_before):
    puzzle = Puzzle(find("sigma_prime_twice"), PROBLEM)
    scene = bug_scene(puzzle, PLAYABLE[:6], code=True)
    scene["frames"] = scene["frames"][:: EPOCHS // 2]
    same_as_before("scene", scene)
