"""A puzzle: the same for the same seed, solvable, and measured by means that know no pass."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.mistakes import find
from backprop_nb.checking.puzzle import (
    EPOCHS,
    PLAYABLE,
    Problem,
    Puzzle,
    checked_mistakes,
    choices,
    factor_between,
    make_puzzle,
)


@pytest.fixture(scope="module")
def problem():
    return Problem.drawn(0)


def test_the_same_seed_gives_the_same_rounds():
    first, again = make_puzzle(3, 5), make_puzzle(3, 5)
    assert first.mistake is again.mistake
    np.testing.assert_array_equal(first.problem.x, again.problem.x)
    assert first.runs == again.runs


def test_every_mistake_comes_once_before_any_comes_again():
    named = [find(each) for each in ("sign_flipped", "missing_factor_2", "sigma_prime_twice")]
    rounds = [make_puzzle(7, number, named).mistake for number in range(1, 7)]
    assert set(rounds[:3]) == set(rounds[3:]) == set(named)


def test_the_measured_gradient_is_the_networks(problem):
    expected = bp.SigmoidNetwork.from_parameters(problem.A, problem.b).backward(
        problem.x, problem.y
    )
    dA, db = problem.measured()
    for i in range(3):
        np.testing.assert_allclose(dA[i], expected.A[i], rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(db[i], expected.b[i], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_right_pass_can_learn_what_there_is_to_learn(seed):
    _, right = make_puzzle(seed, 1).runs
    assert len(right.loss) == EPOCHS + 1
    assert right.loss[-1] < 0.3 * right.loss[0]


@pytest.mark.parametrize("mistake", PLAYABLE, ids=lambda mistake: mistake.id)
def test_every_mistake_can_be_played_and_be_seen(mistake, problem):
    puzzle = Puzzle(mistake, problem)
    broken, right = puzzle.runs
    assert broken.loss[0] == right.loss[0]
    assert broken.loss != right.loss
    assert np.isfinite(broken.loss).all()


def test_training_leaves_the_problem_as_it_is(problem):
    before = [each.copy() for each in [*problem.A, *problem.b, problem.x, problem.y]]
    puzzle = Puzzle(find("input_modified"), problem)
    assert puzzle.runs
    assert puzzle.gradient()
    after = [*problem.A, *problem.b, problem.x, problem.y]
    for first, second in zip(before, after, strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_choices_hold_the_mistake_and_no_other_twice():
    for number in range(1, 12):
        puzzle = make_puzzle(0, number)
        offered = choices(puzzle, 0, number)
        assert puzzle.mistake in offered
        assert len({each.id for each in offered}) == 6
        assert offered == choices(puzzle, 0, number)
    assert choices(puzzle, 0, 1, len(PLAYABLE)) == list(PLAYABLE)


def test_the_place_of_the_right_choice_says_nothing():
    places = {
        [each.id for each in choices(puzzle, 0, number)].index(puzzle.mistake.id)
        for number in range(1, 30)
        for puzzle in [make_puzzle(0, number)]
    }
    assert places == set(range(6))


@pytest.mark.parametrize(
    ("given", "factor"),
    [([1, 2], 1), ([0.5, 1], 0.5), ([-1, -2], -1), ([2, 1], None), ([0, 0], 0)],
)
def test_two_arrays_compare_by_a_factor_if_there_is_one(given, factor):
    found = factor_between(np.array(given, dtype=float), np.array([1.0, 2.0]))
    assert found == (None if factor is None else pytest.approx(factor))


def test_a_contrast_names_the_first_array_that_tells_two_mistakes_apart(problem):
    puzzle = Puzzle(find("sigma_prime_missing_in_hidden"), problem)
    contrast = puzzle.contrast(find("missing_factor_2"))
    assert (contrast.name, contrast.chosen) == ("A_2", pytest.approx(0.5))
    assert contrast.given == 1.0
    contrast = puzzle.contrast(find("sigma_prime_of_wrong_layer"))
    index, theirs, ours = contrast.entry
    array = puzzle.gradient()["Ab".index(contrast.name[0])][int(contrast.name[2])]
    assert array[index] == ours != theirs


def test_every_two_mistakes_can_be_told_apart(problem):
    puzzle = Puzzle(find("sign_flipped"), problem)
    for other in PLAYABLE:
        if other is not puzzle.mistake:
            contrast = puzzle.contrast(other)
            assert contrast.entry is None or contrast.entry[1] != contrast.entry[2]


def test_mistakes_that_need_other_data_are_refused():
    with pytest.raises(
        bp.InvalidValueError, match="'batch_averaged', which cannot be made in this game"
    ) as caught:
        checked_mistakes(["sign_flipped", "batch_averaged"])
    assert caught.value.expected == 'reduction = "sum"'
    with pytest.raises(bp.InvalidValueError, match="`mistakes` must be None, or name at least one"):
        checked_mistakes([])
    with pytest.raises(bp.NotFoundError, match="no mistake 'typo'"):
        checked_mistakes(["typo"])
    assert checked_mistakes(None) == PLAYABLE
