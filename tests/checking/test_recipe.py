"""A pass in pieces: its order, what it keeps, and the listing that is made of the same pieces."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.mistakes import MISTAKES, combined, make_backward
from backprop_nb.checking.puzzle import PLAYABLE, Problem
from backprop_nb.checking.recipe import (
    QUANTITIES,
    Backward,
    first_difference,
    listing,
    one,
    recipe,
    schedule,
)
from backprop_nb.network.passes import sigma

PROBLEM = Problem.drawn(0)


def gradients(backward):
    dA, db = backward(PROBLEM.A, PROBLEM.b, PROBLEM.x.copy(), PROBLEM.y)
    return [*dA, *db]


def test_every_quantity_comes_in_the_order_of_the_pass():
    order = [quantity.name for quantity, _ in schedule(3)]
    assert list(dict.fromkeys(order)) == [quantity.name for quantity in QUANTITIES]
    layers = [i for quantity, i in schedule(3) if quantity.name == "weight_gradient"]
    assert layers == [2, 1, 0]
    assert [i for quantity, i in schedule(3) if quantity.name == "back"] == [2, 1]


def test_a_trail_keeps_every_value_on_the_way():
    net = bp.SigmoidNetwork.from_parameters(PROBLEM.A, PROBLEM.b)
    expected = net.backward(PROBLEM.x, PROBLEM.y).delta
    trail = Backward(recipe()).trail(PROBLEM.A, PROBLEM.b, PROBLEM.x, PROBLEM.y)
    deltas = {r.i: r.value for r in trail if r.quantity.name in ("output_delta", "hidden_delta")}
    for i in (1, 2, 3):
        np.testing.assert_allclose(deltas[i].T, expected[i], rtol=1e-13, atol=1e-17)


def test_trails_of_the_same_pass_do_not_part():
    data = PROBLEM.A, PROBLEM.b, PROBLEM.x, PROBLEM.y
    trails = [Backward(recipe()).trail(*data) for _ in range(2)]
    assert first_difference(*trails) is None
    changed = Backward(recipe() | {"hidden_slope": one}).trail(*data)
    first = first_difference(trails[0], changed)
    assert (first.quantity.name, first.i) == ("hidden_slope", 2)


def run_listing(pieces):
    """Run the text of a pass as a function of its own."""
    body = "\n".join(f"    {line.text}" for line in listing(pieces))
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
    for shown, expected in zip(
        run_listing(combined(ids)), gradients(make_backward(*ids)), strict=True
    ):
        np.testing.assert_allclose(shown, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.id)
def test_the_listing_differs_in_the_lines_of_the_mistake_only(mistake):
    convention = {
        "reduction": "sum" if mistake.id == "batch_averaged" else "mean",
        "half": mistake.id == "extra_factor_2",
    }
    right, wrong = listing(recipe(**convention)), listing(combined([mistake.id], **convention))
    assert {line.quantity for line in set(wrong) ^ set(right)} == set(mistake.changes)
    assert max(len(line.text) for line in wrong) <= 72


def test_every_quantity_has_a_line():
    assert {line.quantity for line in listing(recipe())} == {"", *(q.name for q in QUANTITIES)}
