"""The catalogue against itself: every mistake, and every pair of them, is recognised as such."""

from itertools import combinations, product

import pytest
from courses import CONVENTIONS as ALL_CONVENTIONS

import backprop_nb as bp
from backprop_nb.checking.asking import ask_all
from backprop_nb.checking.compare import agrees
from backprop_nb.checking.convention import Course
from backprop_nb.checking.mistake import PlacedMistake
from backprop_nb.checking.mistakes import MISTAKES, make_backward
from backprop_nb.checking.probes import make_probes
from backprop_nb.checking.search import (
    Search,
    gradients_of,
    local_mistakes,
    mistake_pairs,
    whole_mistakes,
)

CONVENTIONS = [
    {"samples": samples, "reduction": reduction, "half": half}
    for samples in ("single", "rows", "columns")
    for reduction in ("mean", "sum")
    for half in (False, True)
]


def named(convention):
    return "-".join(map(str, convention.values()))


# Every convention at one depth, and other depths in the default one for a batch.
at_several_depths = pytest.mark.parametrize(
    ("convention", "layers"),
    [*((each, 3) for each in CONVENTIONS), (CONVENTIONS[4], 2), (CONVENTIONS[4], 4)],
    ids=lambda value: named(value) if isinstance(value, dict) else str(value),
)
each_convention = pytest.mark.parametrize("convention", CONVENTIONS, ids=named)


def ids(placed):
    return tuple(sorted(each.mistake.id for each in placed))


def found(report):
    return [each.mistake for each in report.findings if each.rank == 1]


# With ½ in front of the loss, δ_K = (f − y) σ′; without its σ′ it is that of the cross-entropy.
SAME_WITH_HALF = {"cross_entropy_delta", "sigma_prime_missing_at_output"}


# --- one mistake, and none ------------------------------------------------------


@each_convention
@pytest.mark.parametrize("layers", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_right_pass_is_right(convention, layers, seed):
    backward = make_backward(**convention)
    report = bp.check_backward(backward, **convention, layers=layers, seed=seed)
    assert report.ok, str(report)
    assert report.score == 1.0
    assert report.findings == ()


@at_several_depths
def test_every_mistake_is_recognised_on_networks_of_several_depths(convention, layers):
    mistakes = whole_mistakes(Course(**convention, layers=layers))
    assert len(mistakes) > 15
    for mistake in mistakes:
        backward = make_backward(mistake.id, **convention)
        report = bp.check_backward(backward, **convention, layers=layers)
        expected = {mistake.id}
        if convention["half"] and mistake.id in SAME_WITH_HALF:
            expected = SAME_WITH_HALF
        assert not report.ok
        assert report.score < 1.0
        if layers > 2:  # fewer layers leave more that cannot be told apart
            assert set(found(report)) == expected
        else:
            assert mistake.id in found(report)
        assert len(found(report)) <= 4


def test_every_mistake_of_the_catalogue_can_be_made_somewhere():
    seen = set()
    for convention in (*CONVENTIONS, *ALL_CONVENTIONS):
        seen |= {mistake.id for mistake in whole_mistakes(Course(**convention))}
    assert seen == {mistake.id for mistake in MISTAKES} - {"state_kept_between_calls"}


# --- pairs --------------------------------------------------------------------


def does_the_same(course, found, pair):
    """Whether other mistakes make the gradients that a pair makes, wherever both can be made."""
    seen = 0
    for k in range(len(make_probes(course))):
        one, other = gradients_of(course, k, found), gradients_of(course, k, pair)
        if one and other:
            seen += 1
            if not all(agrees(one[name], other[name]) for name in one):
                return False
    return seen > 0


def explanations(course, backward):
    return Search(course, ask_all(backward, make_probes(course)).answers).explanations()


# All layouts differ in nothing that a pair could bring out.
@pytest.mark.slow
@pytest.mark.parametrize(("samples", "every"), [("single", 23), ("rows", 5), ("columns", 29)])
def test_every_pair_is_detected(samples, every):
    course = Course(samples)
    pairs = [
        pair
        for pair in mistake_pairs(course)[::every]
        if not does_the_same(course, (), pair)  # a few cancel
    ]
    assert len(pairs) > 30
    otherwise = []
    for pair in pairs:
        found = explanations(course, make_backward(*ids(pair), samples=samples))
        assert found, pair
        if pair not in found:  # what one of them computes the other may throw away
            assert all(does_the_same(course, each, pair) for each in found), (pair, found)
            otherwise.append(pair)
    assert len(otherwise) < 0.15 * len(pairs), otherwise


@pytest.mark.parametrize("rate", [1e-3, 0.1, 0.5])
def test_an_early_update_is_recognised_with_any_learning_rate(rate):
    backward = make_backward("updated_before_use", samples="rows", learning_rate=rate)
    assert found(bp.check_backward(backward, samples="rows")) == ["updated_before_use"]


def spoiled(course, placed):
    """Return the gradients that some mistakes make wrong anywhere."""
    both = [(gradients_of(course, k), gradients_of(course, k, placed)) for k in range(2)]
    return {name for right, now in both for name in now if not agrees(now[name], right[name])}


@pytest.mark.parametrize("samples", ["rows", "columns"])
def test_no_mistake_is_said_to_spoil_a_gradient_that_is_right(samples):
    """Two mistakes that undo each other in one gradient are none that anybody made."""
    course = Course(samples)
    undone = [
        pair
        for pair in mistake_pairs(course)
        if spoiled(course, pair)
        and not all(spoiled(course, (each,)) <= spoiled(course, pair) for each in pair)
    ]
    assert ("batch_not_averaged", "bias_gradient_averaged") in map(ids, undone)
    for pair in undone:
        wrong = spoiled(course, pair)
        for found in explanations(course, make_backward(*ids(pair), samples=samples)):
            assert all(spoiled(course, (each,)) <= wrong for each in found), (pair, found)


# --- a mistake at some layers only -----------------------------------------------


def some_layers(mistake, layers):
    """Every choice of its layers but none and all."""
    at = mistake.layers(layers)
    return [some for n in range(1, len(at)) for some in combinations(at, n)]


LOCAL = {
    "sigma_prime_missing_in_hidden",
    "sigma_prime_of_activation",
    "weights_not_transposed",
    "output_error_reused",
    "updated_before_use",
    "weight_gradient_transposed",
    "layer_input_off_by_one",
    "pre_activation_as_input",
    "bias_gradient_uses_input",
}
LOCAL_IN_A_BATCH = {"bias_gradient_averaged", "averaged_once_per_layer", "only_last_sample"}
# Made once, or at one layer; and σ′ forgotten everywhere is σ′ forgotten in two places.
NOT_LOCAL = {
    "missing_factor_2",
    "sign_flipped",
    "cross_entropy_delta",
    "sigma_prime_missing_at_output",
    "sigma_prime_missing_everywhere",
    "input_modified",
}


@pytest.mark.parametrize("samples", ["single", "rows"])
def test_what_belongs_to_several_layers_is_looked_for_at_each_layer(samples):
    course = Course(samples)
    local = {each.id for each in local_mistakes(course)}
    assert local >= LOCAL
    assert local.isdisjoint(NOT_LOCAL)
    assert (local >= LOCAL_IN_A_BATCH) == (samples == "rows")
    assert {each.id for each in whole_mistakes(course)} >= NOT_LOCAL


@at_several_depths
def test_a_mistake_at_some_layers_is_recognised_with_them(convention, layers):
    mistakes = local_mistakes(Course(**convention, layers=layers))
    assert len(mistakes) > 5
    # Each convention has a third of them, and each of them a third of the conventions.
    for mistake in mistakes[(CONVENTIONS.index(convention) + layers) % 3 :: 3]:
        for at in some_layers(mistake, layers):
            backward = make_backward(mistake.id, **convention, layers={mistake.id: at})
            report = bp.check_backward(backward, **convention, layers=layers)
            best = [each for each in report.findings if each.rank == 1]
            assert [(each.mistake, each.layers) for each in best] == [(mistake.id, at)]
            assert best[0].parameter in (f"dA[{at[-1] - 1}]", f"db[{at[-1] - 1}]")


@pytest.mark.parametrize("rate", [1e-3, 0.1, 0.5])
@pytest.mark.parametrize("layer", [1, 2])
def test_an_early_update_at_one_layer_is_recognised_with_any_learning_rate(rate, layer):
    early = "updated_before_use"
    backward = make_backward(early, samples="rows", learning_rate=rate, layers={early: [layer]})
    (finding,) = bp.check_backward(backward, samples="rows").findings
    assert (finding.mistake, finding.layers) == (early, (layer,))


# One at a single layer beside one that is everywhere, and two at single layers.
@pytest.mark.parametrize(
    "layers",
    [
        {"missing_factor_2": None, "weights_not_transposed": (1,)},
        {"sigma_prime_missing_at_output": None, "sigma_prime_missing_in_hidden": (1,)},
        {"input_modified": None, "sigma_prime_twice": (2,)},
        {"sigma_prime_missing_in_hidden": (1,), "bias_gradient_averaged": (3,)},
        {"sigma_prime_missing_in_hidden": (2,), "sigma_prime_twice": (1, 3)},
        {"layer_input_off_by_one": (2,), "updated_before_use": (1,)},
        {"weight_gradient_transposed": (1, 2, 3), "sigma_prime_of_wrong_layer": (1,)},
    ],
    ids=lambda layers: "-".join(layers),
)
@pytest.mark.slow
def test_two_mistakes_of_which_one_is_at_some_layers_are_detected(layers):
    some = {each: at for each, at in layers.items() if at is not None}
    backward = make_backward(*layers, samples="rows", layers=some)
    best = [each for each in bp.check_backward(backward, samples="rows").findings if each.rank == 1]
    assert {each.mistake for each in best} == set(layers)
    assert all(each.layers == some[each.mistake] for each in best if each.mistake in some)


@pytest.mark.slow
@pytest.mark.parametrize(("samples", "every"), [("rows", 97), ("single", 101)])
def test_pairs_with_a_mistake_at_one_layer_are_detected_with_that_layer(samples, every):
    course = Course(samples)
    local = local_mistakes(course)
    placed = [PlacedMistake(each, (layer,)) for each in local for layer in each.layers(3)]
    whole = [PlacedMistake(each) for each in whole_mistakes(course) if each not in local]
    pairs = [
        pair
        for pair in (*combinations(placed, 2), *product(placed, whole))
        if pair[0].mistake is not pair[1].mistake and not pair[0].meets(pair[1])
    ]
    assert len(pairs) > 500
    otherwise = []
    for pair in pairs[::every]:
        some = {each.mistake.id: each.layers for each in pair if each.layers}
        found = explanations(course, make_backward(*ids(pair), samples=samples, layers=some))
        assert found, pair
        if not any(set(each) == set(pair) for each in found):
            assert all(does_the_same(course, each, pair) for each in found), (pair, found)
            otherwise.append(pair)
    assert len(otherwise) < 0.15 * len(pairs[::every]), otherwise
