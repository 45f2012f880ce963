"""A round as plain data: true numbers, no answer before it is asked for, one picture for all."""

import json

import numpy as np
import pytest
from nonempty import nonempty
from snapshots import shapes, written

from backprop_nb.checking.mistakes import STAGES, find, stage_of
from backprop_nb.checking.puzzle import EPOCHS, PLAYABLE, Problem, Puzzle
from backprop_nb.views import numbers
from backprop_nb.views.bug.scene import bug_scene, describe_round, gradient_picture
from backprop_nb.views.picture import patched

PROBLEM = Problem.drawn(0)


def scene_of(name, code=False):
    puzzle = Puzzle(find(name), PROBLEM)
    return puzzle, bug_scene(puzzle, PLAYABLE, code=code)


@pytest.mark.parametrize("mistake", PLAYABLE, ids=lambda mistake: mistake.id)
def test_every_mistake_makes_a_scene_that_json_can_hold(mistake):
    _, scene = scene_of(mistake.id, code=True)
    json.dumps(scene, allow_nan=False)
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
    shown = written(gradient_picture(puzzle, measured=False).data())
    assert set(given) <= set(shown)
    assert shown.count("?") == 6
    after = written(gradient_picture(puzzle, measured=True).data())
    expected = [numbers.short(x) for side in puzzle.measured for a in side for x in a.ravel()]
    assert set(given) | set(expected) <= set(after)
    assert after.count("equal") == 2
    assert after.count("differs") == 4


def test_nothing_moves_when_the_measured_gradient_comes():
    puzzle = Puzzle(find("sign_flipped"), PROBLEM)
    before, after = (gradient_picture(puzzle, measured=m).data() for m in (False, True))
    assert (before["width"], before["height"]) == (after["width"], after["height"])
    assert written(before)[:8] == written(after)[:8]


def test_before_the_answer_the_scene_and_its_words_do_not_tell_it():
    for mistake in PLAYABLE:
        puzzle, scene = scene_of(mistake.id)
        told = json.dumps({**scene, "choices": []}, ensure_ascii=False)
        said = "\n".join(describe_round(puzzle, {**scene, "choices": []}, measured=True))
        for text in (told, said):
            assert mistake.id not in text
            assert mistake.title not in text
            assert not any(hint in text for hint in mistake.hints)


def test_the_heat_is_that_of_the_numbers():
    puzzle = Puzzle(find("sign_flipped"), PROBLEM)
    before = gradient_picture(puzzle, measured=False).data()
    heats = [shape["heats"] for shape in before["shapes"] if shape["kind"] == "heat"][:6]
    arrays = [a.ravel() for pair in zip(*puzzle.gradient(), strict=True) for a in pair]
    for heat, array in nonempty(zip(heats, arrays, strict=True)):
        np.testing.assert_array_equal(np.sign(heat), np.sign(array))


def test_many_choices_stand_by_stage_in_the_scene_and_in_words():
    puzzle, many = scene_of("sign_flipped")
    few = bug_scene(puzzle, PLAYABLE[:6], code=False)
    assert [(each["stage"], len(each["choices"])) for each in few["choices"]] == [("", 6)]
    assert [
        (stage["stage"], each["id"]) for stage in many["choices"] for each in stage["choices"]
    ] == [(stage_of(each), each.id) for each in PLAYABLE]
    said = describe_round(puzzle, many, measured=False)
    assert [line for line in said if line[:-1] in STAGES] == [
        f"{stage}:" for stage, those in STAGES.items() if any(each.in_game for each in those)
    ]
    place = said.index("the slope σ′:")
    assert said[place + 1] == "  σ′ is missing everywhere"


# By name, so that a mistake more in the catalogue changes nothing here.
OFFERED = (
    "missing_factor_2",
    "sign_flipped",
    "output_in_place_of_error",
    "cross_entropy_delta",
    "sigma_prime_missing_everywhere",
    "sigma_prime_missing_at_output",
)


def snapshot(scene):
    """What is to be seen of a round."""
    yield f"{scene['asks']}: {scene['setting']}"
    for stage in scene["choices"]:
        yield from (f"{stage['stage']} {each['id']}: {each['title']}" for each in stage["choices"])
    yield f"{scene['hints']} hints, {scene['costs']}, {scene['levels']}"
    yield from scene["code"]
    yield from shapes(scene["loss"])
    yield from shapes(scene["gradients"])
    for shape in scene["gradients"]["shapes"]:
        if "texts" in shape:
            yield f"  heat at {shape['box']}: {', '.join(shape['texts'])}"
    for frame in scene["frames"][::EPOCHS]:
        yield frame["words"]
        yield from shapes(patched(scene["flow"], frame["patch"]))


def test_the_scene_is_what_it_was(same_as_before):
    puzzle = Puzzle(find("sigma_prime_twice"), PROBLEM)
    scene = bug_scene(puzzle, [find(each) for each in OFFERED], code=True)
    same_as_before("scene", snapshot(scene))
