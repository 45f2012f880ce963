"""The reference pass: its order, its intermediates, and the listing, which is what runs."""

import numpy as np
import pytest
from courses import convention_of
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.checking.convention import Convention
from backprop_nb.checking.mistakes import MISTAKES, make_backward
from backprop_nb.checking.puzzle import PLAYABLE, Problem
from backprop_nb.checking.reference import STEPS, ReferencePass, schedule
from backprop_nb.network.passes import sigma

PROBLEM = Problem.drawn(0)
DATA = PROBLEM.A, PROBLEM.b, PROBLEM.x, PROBLEM.y
ROWS = Convention("rows")


def gradients(backward):
    dA, db = backward(PROBLEM.A, PROBLEM.b, PROBLEM.x.copy(), PROBLEM.y)
    return [*dA, *db]


def test_every_step_comes_in_the_order_of_the_pass():
    order = [step.name for step, _ in schedule(3)]
    assert list(dict.fromkeys(order)) == [step.name for step in STEPS]
    layers = [i for step, i in schedule(3) if step.name == "weight_gradient"]
    assert layers == [2, 1, 0]
    assert [i for step, i in schedule(3) if step.name == "back"] == [2, 1]


def test_the_intermediates_are_every_value_on_the_way():
    net = bp.SigmoidNetwork.from_parameters(PROBLEM.A, PROBLEM.b)
    expected = net.backward(PROBLEM.x, PROBLEM.y).delta
    values = {each.name: each.value for each in ReferencePass(ROWS).intermediates(*DATA)}
    for i in (1, 2, 3):
        np.testing.assert_allclose(values[f"delta[{i}]"].T, expected[i], rtol=1e-13, atol=1e-17)


def test_later_steps_go_on_with_what_is_given_in_place_of_a_value():
    twice = {"delta[3]": 2 * values(DATA)["delta[3]"]}
    after = {name for name in twice_as_large(twice) if name != "delta[3]"}
    assert after == {"delta[1]", "delta[2]", "back[1]", "back[2]"} | {
        f"{part}[{i}]" for part in ("dA", "db") for i in range(3)
    }
    assert twice_as_large({}) == set()


def twice_as_large(given):
    """Return the names of the intermediates that double where something is given."""
    right = values(DATA)
    return {
        name
        for name, value in values(DATA, given).items()
        if np.allclose(value, 2 * right[name], rtol=1e-12) and value.any()
    }


def values(data, given=None):
    """Return the intermediates that are arrays, by name."""
    found = ReferencePass(ROWS).intermediates(*data, given)
    return {each.name: each.value for each in found if isinstance(each.value, np.ndarray)}


def run_listing(backward):
    """Run the text of a pass as a function of its own."""
    body = "\n".join(f"    {line.text}" for line in backward.listing())
    code = f"def f(A, b, x, y):\n    f, z, delta, dA, db = {{}}, {{}}, {{}}, {{}}, {{}}\n{body}"
    space = {"sigma": sigma, "K": 3, "N": 3, "learning_rate": 0.1}
    space["add_to_last_call"] = lambda *gradients: gradients
    exec(code, space)
    b = [each[:, None] for each in PROBLEM.b]
    dA, db = space["f"](PROBLEM.A, b, PROBLEM.x.T.copy(), PROBLEM.y.T)
    return [dA[i] for i in range(3)] + [db[i].ravel() for i in range(3)]


@pytest.mark.parametrize("name", ["", *(mistake.id for mistake in PLAYABLE)])
def test_the_listing_is_the_pass_that_runs(name):
    ids = [name] if name else []
    for shown, expected in nonempty(
        zip(run_listing(make_backward(*ids)), gradients(make_backward(*ids)), strict=True)
    ):
        np.testing.assert_allclose(shown, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.id)
def test_the_listing_differs_in_the_lines_of_the_mistake_only(mistake):
    convention = convention_of(mistake)
    right = make_backward(**convention).listing()
    wrong = make_backward(mistake.id, **convention).listing()
    assert {line.step for line in set(wrong) ^ set(right)} == set(mistake.steps)
    # Those of the game stand in a narrow column.
    assert max(len(line.text) for line in wrong) <= (72 if mistake.in_game else 88)


def test_a_mistake_at_some_layers_is_in_the_listing_with_them():
    name = "weight_gradient_transposed"
    backward = make_backward(name, layers={name: [1, 3]})
    [line] = [line.text for line in backward.listing() if line.step == "weight_gradient"]
    assert line == (
        "    dA[i] = (inputs @ delta[i + 1].T) if i in (0, 2) else (delta[i + 1] @ inputs.T)"
    )
    for shown, expected in zip(run_listing(backward), gradients(backward), strict=True):
        np.testing.assert_allclose(shown, expected, rtol=1e-12, atol=1e-15)


def test_every_step_that_a_course_has_has_a_line():
    listed = {line.step for line in make_backward(l2=0.5).listing()}
    assert listed == {"", *(step.name for step in STEPS)}
    listed -= {line.step for line in make_backward(bias=False).listing()}
    assert listed == {"penalty", "bias_gradient"}
