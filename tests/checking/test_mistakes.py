"""The catalogue of mistakes: each is one, is told from every other, and has its words."""

from itertools import combinations

import numpy as np
import pytest
from courses import CONVENTIONS as ALL_CONVENTIONS
from courses import convention_of
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.checking.convention import Convention
from backprop_nb.checking.mistakes import CATALOGUE, MISTAKES, STAGES, find, make_backward, stage_of
from backprop_nb.checking.reference import STEPS, Situation
from backprop_nb.network.document import EQUATIONS

WIDTHS, N = (3, 3, 3, 3), 4
CONVENTIONS = [(reduction, half) for reduction in ("mean", "sum") for half in (False, True)]

# Right on the first call of all: what is wrong with it is seen at the second.
RIGHT_AT_FIRST = {"state_kept_between_calls"}
# Where no z is beyond 1 there is nothing to clip.
SEEN_FAR_FROM_0 = {"pre_activation_clipped"}
# Without the 2, the cross-entropy's δ is the squared error's without σ′.
TIES = {True: {frozenset({"sigma_prime_missing_at_output", "cross_entropy_delta"})}, False: set()}


def problem(widths=WIDTHS, rows=N, seed=1):
    random = np.random.default_rng(seed)
    net = bp.SigmoidNetwork(widths, seed=random, scale="document")
    net.b = [random.normal(size=n) for n in widths[1:]]
    return net, random.normal(size=(rows, widths[0])), random.uniform(size=(rows, widths[-1]))


def problem_in(convention):
    """The same, of which there is a single sample where the convention has one."""
    net, x, y = problem()
    return (net, x[0], y[0]) if convention["samples"] == "single" else (net, x, y)


def gradient(*ids, reduction="mean", half=False, calls=1, data=None):
    """What a pass hands over, as one vector, in its shapes."""
    net, x, y = data or problem()
    backward = make_backward(*ids, reduction=reduction, half=half)
    for _ in range(calls):
        dA, db = backward(net.A, net.b, x.copy(), y)
    return [np.array(each) for each in dA + db]


def same(first, second, rtol=1e-9):
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=rtol, atol=rtol * np.abs(a).max())
        for a, b in zip(first, second, strict=True)
    )


def calls_of(name):
    """The call to look at; the second of one that adds up is no other than a factor of 2."""
    return 3 if name in RIGHT_AT_FIRST else 1


def applicable(reduction, half):
    situation = Situation(WIDTHS, N, Convention("rows", reduction, half))
    return [mistake.id for mistake in MISTAKES if mistake.applies(situation)]


# --- the right pass -----------------------------------------------------------


@pytest.mark.parametrize(("reduction", "half"), CONVENTIONS)
@pytest.mark.parametrize("samples", ["single", "rows", "columns"])
@pytest.mark.parametrize("widths", [WIDTHS, (2, 5, 1), (4, 2)])
def test_without_a_mistake_the_pass_is_the_networks(widths, samples, reduction, half):
    net, x, y = problem(widths, rows=1 if samples == "single" else N)
    factor = (0.5 if half else 1.0) * (len(x) if reduction == "sum" else 1)
    expected = net.backward(x, y)
    backward = make_backward(samples=samples, reduction=reduction, half=half)
    if samples == "single":
        dA, db = backward(net.A, net.b, x[0], y[0])
    elif samples == "rows":
        dA, db = backward(net.A, net.b, x, y)
    else:
        dA, db = backward(net.A, [b[:, None] for b in net.b], x.T, y.T)
        assert [b.shape for b in db] == [(n, 1) for n in widths[1:]]
    for i in range(net.K):
        np.testing.assert_allclose(dA[i], factor * expected.A[i], rtol=1e-13, atol=1e-17)
        np.testing.assert_allclose(db[i].ravel(), factor * expected.b[i], rtol=1e-13, atol=1e-17)


def test_the_data_of_a_right_pass_stay_as_they_are():
    net, x, y = problem()
    before = [each.copy() for each in [*net.A, *net.b, x, y]]
    make_backward()(net.A, net.b, x, y)
    assert same(before, [*net.A, *net.b, x, y], rtol=0)


def test_lists_of_numbers_do_too():
    dA, db = make_backward(samples="single")([[[1, 2]]], [[0]], [1, 0], [1])
    net = bp.SigmoidNetwork.from_parameters([[[1.0, 2.0]]], [[0.0]])
    expected = net.backward([1.0, 0.0], [1.0])
    np.testing.assert_allclose(dA[0], expected.A[0])
    np.testing.assert_allclose(db[0], expected.b[0])


# --- each mistake -------------------------------------------------------------


@pytest.mark.parametrize(("reduction", "half"), CONVENTIONS)
def test_each_mistake_differs_from_the_truth_and_from_every_other(reduction, half):
    found = {
        name: gradient(name, reduction=reduction, half=half, calls=calls_of(name))
        for name in applicable(reduction, half)
    }
    found["right"] = gradient(reduction=reduction, half=half)
    equal = {frozenset(pair) for pair in combinations(found, 2) if same(*map(found.get, pair))}
    assert equal == TIES[half]


# What a mistake does, told by other means than its code: by the right gradients of other data,
# or of the same data with a sign or a factor.
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("only_first_sample", lambda net, x, y: flat(net.backward(x[:1], y[:1]), 1 / N)),
        ("only_last_sample", lambda net, x, y: flat(net.backward(x[-1:], y[-1:]), 1 / N)),
        ("sign_flipped", lambda net, x, y: flat(net.backward(x, y), -1)),
        ("missing_factor_2", lambda net, x, y: flat(net.backward(x, y), 1 / 2)),
        ("batch_not_averaged", lambda net, x, y: flat(net.backward(x, y), N)),
        ("bias_gradient_averaged", lambda net, x, y: flat(net.backward(x, y), 1, 1 / N)),
    ],
)
def test_a_mistake_does_what_its_name_says(name, expected):
    assert same(gradient(name), expected(*problem()))


def flat(found, factor, of_biases=None):
    of_biases = factor if of_biases is None else of_biases
    return [factor * each for each in found.A] + [of_biases * each for each in found.b]


@pytest.mark.parametrize("name", sorted(RIGHT_AT_FIRST))
def test_the_exception_is_right_at_first(name):
    assert same(gradient(name), gradient(), rtol=1e-14)
    assert not same(gradient(name, calls=2), gradient())


def test_the_conventions_cover_the_catalogue():
    assert {each.id for each in MISTAKES if convention_of(each) in ALL_CONVENTIONS} == set(
        CATALOGUE
    )


@pytest.mark.parametrize("samples", ["rows", "columns"])
@pytest.mark.parametrize("name", applicable("mean", False))
def test_a_mistake_is_the_same_in_rows_and_in_columns(name, samples):
    net, x, y = problem()
    b = net.b if samples == "rows" else [each[:, None] for each in net.b]
    turn = (lambda a: a) if samples == "rows" else np.transpose
    dA, db = make_backward(name, samples=samples)(net.A, b, turn(x.copy()), turn(y))
    expected = gradient(name)
    biases = [each.T if samples == "columns" and each.ndim == 2 else each for each in db]
    assert same(map(np.ravel, expected), map(np.ravel, [*dA, *biases]))
    shapes = {
        "bias_summed_over_wrong_axis": (1, N),
        "bias_gradient_not_summed": (3, N),
        "bias_gradient_summed_to_one_number": (1, 1),
    }
    if samples == "columns":
        assert db[0].shape == shapes.get(name, (3, 1))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.id)
def test_the_first_quantity_that_is_wrong_is_the_one_it_says(mistake):
    net, x, y = problem_in(convention_of(mistake))
    right, wrong = (
        make_backward(*ids, **convention_of(mistake)).intermediates(net.A, net.b, x.copy(), y)
        for ids in ([], [mistake.id])
    )
    differing = [
        theirs.step
        for mine, theirs in zip(right, wrong, strict=True)
        if mine.step is not STEPS[-1]
        and not same(*([np.asarray(each.value)] for each in (mine, theirs)))
    ]
    if mistake.id in RIGHT_AT_FIRST:
        assert differing == []
        assert mistake.first is STEPS[-1]
    else:
        assert differing[0] is mistake.first


@pytest.mark.parametrize(
    ("name", "widths", "rows", "needs"),
    [
        ("weights_not_transposed", (3, 4, 2), 4, "as many units in every layer"),
        ("weights_not_transposed", (3, 1, 1), 4, "more than one unit"),
        ("bias_gradient_uses_input", (3, 4), 4, "as many inputs as units"),
        ("batch_not_averaged", WIDTHS, 1, "more than one sample"),
        ("sigma_prime_missing_in_hidden", (3, 2), 4, "a hidden layer"),
        ("extra_factor_2", WIDTHS, 4, "half = True"),
        ("batch_averaged", WIDTHS, 4, 'reduction = "sum"'),
    ],
)
def test_where_a_mistake_cannot_be_made_it_says_so(name, widths, rows, needs):
    net, x, y = problem(widths, rows)
    assert not find(name).applies(Situation(widths, rows))
    with pytest.raises(
        bp.InvalidValueError, match="cannot be made here, or would not show"
    ) as caught:
        make_backward(name)(net.A, net.b, x, y)
    assert needs in caught.value.expected
    assert f"widths {widths}, N = {rows}" in caught.value.given


@pytest.mark.parametrize(("reduction", "half"), CONVENTIONS)
@pytest.mark.parametrize("widths", [(2, 4, 3, 1), (4, 3), (1, 1, 1)])
@pytest.mark.parametrize("rows", [1, 4])
def test_where_it_applies_it_runs_and_is_wrong(widths, rows, reduction, half):
    data = problem(widths, rows)
    right = gradient(reduction=reduction, half=half, data=data)
    situation = Situation(widths, rows, Convention("rows", reduction, half))
    applying = [mistake for mistake in MISTAKES if mistake.applies(situation)]
    assert applying
    for mistake in MISTAKES:
        if mistake.applies(situation) and mistake.id not in SEEN_FAR_FROM_0:
            options = {"reduction": reduction, "half": half, "calls": calls_of(mistake.id)}
            assert not same(right, gradient(mistake.id, data=data, **options)), mistake


def test_an_update_that_comes_too_early_is_nearly_right():
    right, early = gradient(), gradient("updated_before_use")
    difference = max(np.abs(a - b).max() for a, b in zip(right, early, strict=True))
    assert 1e-5 < difference < 1e-2


def test_the_input_of_the_caller_is_changed_where_that_is_the_mistake():
    net, x, y = problem()
    before = x.copy()
    make_backward("input_modified")(net.A, net.b, x, y)
    assert not np.allclose(x, before)


def test_a_new_pass_remembers_nothing_of_an_old_one():
    assert same(gradient("state_kept_between_calls"), gradient("state_kept_between_calls"))


# --- at some layers only -------------------------------------------------------


def test_a_mistake_at_all_of_its_layers_is_the_whole_mistake():
    for mistake in MISTAKES:
        if at := mistake.layers(3):
            convention = convention_of(mistake)
            net, x, y = problem_in(convention)
            some = make_backward(mistake.id, **convention, layers={mistake.id: at})
            whole = make_backward(mistake.id, **convention)
            first, second = (each(net.A, net.b, x, y) for each in (some, whole))
            assert same([*first[0], *first[1]], [*second[0], *second[1]], rtol=1e-14), mistake


@pytest.mark.parametrize("name", [each.id for each in MISTAKES if len(each.layers(3)) > 1])
def test_at_one_layer_it_spoils_nothing_above_that_and_something_there(name):
    convention = convention_of(find(name))
    net, x, y = problem_in(convention)
    right = dict(zip("Ab", make_backward(**convention)(net.A, net.b, x, y), strict=True))
    for layer in nonempty(find(name).layers(3)):
        given = make_backward(name, **convention, layers={name: [layer]})(net.A, net.b, x, y)
        wrong = {
            i
            for part, expected in zip(given, right.values(), strict=True)
            for i in range(3)
            if not same([part[i]], [expected[i]])
        }
        assert max(wrong) == layer - 1


def test_layers_are_of_a_mistake_that_is_there_and_of_a_layer_that_it_has():
    with pytest.raises(
        bp.InvalidValueError, match="'sigma_prime_twice', which this pass does not have"
    ):
        make_backward("sign_flipped", layers={"sigma_prime_twice": [1]})
    net, x, y = problem()
    wrong = make_backward("sigma_prime_missing_in_hidden", layers={
        "sigma_prime_missing_in_hidden": [3]
    })  # fmt: skip
    with pytest.raises(bp.InvalidValueError) as caught:
        wrong(net.A, net.b, x, y)
    assert "layer 3 among those where it can be made" in caught.value.expected


def test_two_mistakes_may_share_a_quantity_at_different_layers():
    ids = ("sigma_prime_missing_in_hidden", "sigma_prime_twice")
    make_backward(*ids, layers={ids[0]: [1], ids[1]: [2, 3]})
    with pytest.raises(bp.InvalidValueError, match="both replace one step"):
        make_backward(*ids, layers={ids[0]: [1, 2], ids[1]: [2, 3]})


# --- two of them --------------------------------------------------------------


def test_pairs_combine_and_are_neither_of_the_two():
    compatible = [
        (a, b)
        for a, b in combinations(applicable("mean", False), 2)
        if find(a).combines_with(find(b)) and not RIGHT_AT_FIRST & {a, b}
    ]
    assert len(compatible) > 250
    for pair in compatible:
        both = gradient(*pair)
        # What the other would have touched may be gone: then the pair is one of the two.
        assert not same(both, gradient()), pair


def test_a_pair_is_what_both_of_them_say():
    halved = [each / 2 for each in gradient("sigma_prime_missing_at_output")]
    assert same(gradient("missing_factor_2", "sigma_prime_missing_at_output"), halved)
    everywhere = gradient("sigma_prime_missing_at_output", "sigma_prime_missing_in_hidden")
    assert same(everywhere, gradient("sigma_prime_missing_everywhere"))


def test_two_mistakes_in_one_quantity_are_refused():
    with pytest.raises(bp.InvalidValueError) as caught:
        make_backward("sign_flipped", "output_in_place_of_error")
    assert str(caught.value) == (
        "These two mistakes do not combine: both replace one step.\n"
        "  given:    'sign_flipped' and 'output_in_place_of_error', which both replace "
        "the output error f_K − y\n"
        "  expected: mistakes in different steps"
    )


def test_a_mistake_that_does_not_exist_is_refused_with_advice():
    with pytest.raises(bp.NotFoundError, match="no mistake 'sign_fliped'") as caught:
        make_backward("sign_fliped")
    assert caught.value.instead == "'sign_flipped'"


# --- the stages ---------------------------------------------------------------


def test_every_mistake_has_a_stage_and_its_steps_say_which():
    first = {stage: {each.first.name for each in mistakes} for stage, mistakes in STAGES.items()}
    assert first == {
        "the forward pass": {"activation", "pre_activation"},
        "the output error": {"error", "factor", "output_delta", "output_slope"},
        "the slope σ′": {"output_slope", "hidden_slope"},
        "back through the weights A": {"weights", "back"},
        "the gradients of A and b": {
            *("layer_input", "weight_gradient", "bias_gradient", "penalty")
        },
        "the batch": {"share", "hidden_delta", "weight_gradient"},
        "what Python keeps": {"input", "result"},
    }
    assert [stage_of(each) for each in (MISTAKES[0], MISTAKES[-1])] == [*first][:: len(first) - 1]


# --- the words ----------------------------------------------------------------


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.id)
def test_every_mistake_has_its_words(mistake):
    assert len(mistake.title) <= 50
    assert not mistake.title.endswith(".")
    assert len(mistake.explanation) > 80
    assert len(mistake.hints) == 3
    for text in (mistake.explanation, *mistake.hints):
        assert text.endswith((".", "?"))
        assert "!" not in text
    assert len({mistake.title, mistake.explanation, *mistake.hints}) == 5


def test_what_is_said_in_a_course_of_classes_is_true_of_it():
    # Neither a sigmoid, nor a square, nor a unit that is "fully on" and flat.
    course = Convention(activation="relu", output="softmax", loss="cross-entropy", samples="rows")
    situation = Situation((3, 3, 3, 3), 3, course)
    words = [each.words(course) for each in MISTAKES if each.applies(situation)]
    texts = [f"{each.title} {each.explanation} {' '.join(each.hints)}" for each in words]
    assert len(texts) > 30
    foreign = ("σ", "‖", "½", "∂(y − f)", "fully on", "f (1 − f) in its denominator")
    assert [text for text in texts if any(part in text for part in foreign)] == []


def test_no_two_mistakes_share_an_id_a_title_or_an_explanation():
    for name in ("id", "title", "explanation"):
        assert len({getattr(mistake, name) for mistake in MISTAKES}) == len(MISTAKES)


def test_the_equations_are_the_documents():
    tags = {mistake.equation for mistake in MISTAKES} - {""}
    assert tags <= {equation.tag for equation in EQUATIONS}
    assert {"loss", "sigmoid", "layer", "chain-general"} <= tags


def test_what_a_mistake_replaces_are_steps_of_the_pass():
    assert set().union(*(mistake.steps for mistake in MISTAKES)) <= {step.name for step in STEPS}
    assert find("only_first_sample").first.name == "weight_gradient"


def test_the_repr_says_which_it_is():
    assert repr(find("sigma_prime_twice")) == "<Mistake sigma_prime_twice: σ′ is applied twice>"


def test_data_of_another_convention_are_refused_with_the_one_that_fits():
    net = bp.SigmoidNetwork((2, 3, 1), seed=0)
    with pytest.raises(bp.ShapeError, match='x does not fit samples="rows"') as caught:
        make_backward("sign_flipped")(net.A, net.b, [1.0, 2.0], [0.5])
    assert caught.value.given == "x of shape (2,)"
    assert caught.value.instead == 'samples="single" for one sample, of shape (n_0,)'
    with pytest.raises(bp.ShapeError, match='x does not fit samples="single"') as caught:
        make_backward(samples="single")(net.A, net.b, [[1.0, 2.0]], [[0.5]])
    assert caught.value.instead == 'samples="rows" or "columns" for a batch'
