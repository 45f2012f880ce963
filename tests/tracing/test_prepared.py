"""Arrays made while a trace runs: reached, restored, and the concern of nobody else."""

import copy
import operator
import pickle
import threading
import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from nonempty import nonempty
from rule_checks import assert_differentiable

import backprop_nb as bp
from backprop_nb.errors import DetachedError
from backprop_nb.tracing import prepared

X = np.array([[1.5, -0.5, 2.5], [0.25, 3.5, -2.0]])
BEFORE = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}


def is_restored():
    return all(getattr(np, name) is value for name, value in BEFORE.items())


# --- what is made can receive traced values ----------------------------------------

MAKING = {
    "zeros": lambda: np.zeros(3),
    "zeros, shape by name": lambda: np.zeros(shape=(3,), dtype=float),
    "ones": lambda: np.ones(3),
    "empty": lambda: np.empty(3),
    "full": lambda: np.full(3, 2.5),
    "eye": lambda: np.eye(3)[1],
    "identity": lambda: np.identity(3)[1],
    "arange": lambda: np.arange(3.0),
    "linspace": lambda: np.linspace(0, 1, 3),
    "zeros_like": lambda: np.zeros_like(X[0]),
    "ones_like": lambda: np.ones_like(X[0]),
    "empty_like": lambda: np.empty_like(X[0]),
    "full_like": lambda: np.full_like(X[0], 1.5),
    "array": lambda: np.array([1.0, 2.0, 3.0]),
    "array of an array": lambda: np.array(X[0]),
    "array of integers": lambda: np.array([1, 2, 3], dtype=float),
    "asarray of a list": lambda: np.asarray([1.0, 2.0, 3.0]),
    "asarray of integers": lambda: np.asarray([1, 2, 3], dtype=float),
    "copy": lambda: np.copy(X[0]),
    "tile": lambda: np.tile(1.5, 3),
    "repeat": lambda: np.repeat(1.5, 3),
    "computed": lambda: np.zeros(3) * 2 + 1,
    "stacked": lambda: np.stack([np.zeros(3), np.ones(3)])[1],
    "joined": lambda: np.concatenate([np.zeros(1), np.ones(2)]),
    "copied": lambda: np.zeros(3).copy(),
    "one of a grid": lambda: np.meshgrid(np.arange(3.0), np.arange(2.0))[0][1],
    "logspace": lambda: np.logspace(0, 1, 3),
    "geomspace": lambda: np.geomspace(1, 2, 3),
    "tri": lambda: np.tri(3)[1],
    "of another kind": lambda: np.arange(3).astype(float) + np.zeros(3),
}


@pytest.mark.parametrize("name", MAKING)
def test_an_array_that_is_made_in_the_function_receives_traced_values(name):
    def f(x):
        made = MAKING[name]()
        made[0] = x[0, 0] ** 2
        made[1:] = x[1, 1:] * x[0, 0]
        return made * made

    assert_differentiable(f, X)


def test_arrays_like_a_traced_one_receive_traced_values():
    def f(x):
        a, b, c = np.zeros_like(x), np.empty_like(x), np.full_like(x, 2.0)
        a[0], b[...], c[:, 1] = x[1], x * 2, x[:, 0]
        return a * b + c

    assert_differentiable(f, X)


def test_arrays_of_whole_numbers_and_truth_values_are_numpys_own():
    kinds = []

    def f(x):
        kinds.extend(type(each) for each in (np.zeros(3, int), np.arange(3), np.ones(3, bool)))
        return np.sum(x)

    bp.trace(f, X)
    assert nonempty(set(kinds)) == [np.ndarray]


# --- restored ------------------------------------------------------------------------


def test_numpy_is_as_before_after_a_trace_and_after_an_error():
    seen = []

    def f(x):
        seen.append(is_restored())
        return np.sum(x)

    def fail(x):
        raise KeyError("mine")

    def nested(x):
        bp.grad(f)(x)
        seen.append(is_restored())
        with pytest.raises(KeyError, match="mine"):
            bp.trace(fail, x)
        seen.append(is_restored())
        return np.sum(x)

    bp.trace(f, X)
    assert is_restored()
    with pytest.raises(KeyError, match="mine"):
        bp.trace(fail, X)
    assert is_restored()
    bp.trace(nested, X)
    assert is_restored()
    assert seen == [False] * 4


def test_numpy_is_as_before_after_an_interrupt_and_a_refusal():
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bp.trace(interrupted, X)
    assert is_restored()
    with pytest.raises(DetachedError):
        bp.trace(lambda x: float(x[0, 0]), X)
    assert is_restored()
    for transform in nonempty([bp.grad, bp.value_and_grad, bp.jacobian]):
        transform(lambda x: np.sum(x * np.ones(3)))(X)
        assert is_restored()


def test_a_generator_that_is_left_open_prepares_nothing():
    def numbers():
        yield np.zeros(3)
        yield np.zeros(3)

    left = []

    def f(x):
        left.append(numbers())
        return np.sum(x * next(left[0]))

    bp.trace(f, X)
    assert type(next(left[0])) is np.ndarray


def test_the_replaced_functions_pass_for_the_originals():
    seen = {}

    def f(x):
        for name in prepared.REPLACED:
            function = operator.attrgetter(name)(np)
            seen[name] = (function.__name__, function.__doc__) if callable(function) else None
        return np.sum(x)

    bp.trace(f, X)
    names = [name for name, found in seen.items() if found]
    assert len(names) > 20
    originals = {name: operator.attrgetter(name)(np) for name in names}
    assert all(seen[name] == (each.__name__, each.__doc__) for name, each in originals.items())


# --- nobody else notices ---------------------------------------------------------------


def test_other_threads_notice_nothing():
    found, inside, done = [], threading.Event(), threading.Event()

    def other():
        assert inside.wait(10)
        made = (np.zeros(3), np.array([1.0, 2.0]), np.full(2, 0.5), np.sum([1.0, 2.0]))
        found.extend(map(type, made))
        found.append(type(np.c_[np.zeros(2), np.ones(2)]))
        done.set()

    thread = threading.Thread(target=other)

    def f(x):
        inside.set()
        assert done.wait(10)
        return np.sum(x * np.zeros(3))

    thread.start()
    bp.trace(f, X)
    thread.join(10)
    assert found == [np.ndarray, np.ndarray, np.ndarray, np.float64, np.ndarray]


def test_two_threads_trace_at_the_same_time():
    together = threading.Barrier(2, timeout=10)
    values = {}

    def f(x):
        out = np.zeros(3)
        for k in range(3):
            together.wait()
            out[k] = x[k] * (k + 1)
        return np.sum(out)

    def run(name, x):
        graph = bp.trace(f, x)
        values[name] = (graph.value, graph.backward().gradients[0].tolist())

    threads = [threading.Thread(target=run, args=(name, np.full(3, name))) for name in (1.0, 2.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert values == {1.0: (6.0, [1.0, 2.0, 3.0]), 2.0: (12.0, [1.0, 2.0, 3.0])}
    assert is_restored()


LIBRARY = {
    "normal": lambda a: np.random.default_rng(0).normal(a, np.ones(3)),
    "choice": lambda a: np.random.default_rng(0).choice(a, 3, p=np.ones(3) / 3),
    "multivariate": lambda a: np.random.default_rng(0).multivariate_normal(a, np.eye(3)),
    "old choice": lambda a: np.random.RandomState(0).choice(a, 3),
    "solve": lambda a: scipy.linalg.solve(np.eye(3) * 2, a),
    "expm": lambda a: scipy.linalg.expm(np.outer(a, a))[0],
    "erf": lambda a: scipy.special.erf(a),
    "inv": lambda a: np.linalg.inv(np.eye(3) + np.diag(a))[0],
    "fft": lambda a: np.fft.fft(a).real,
    "histogram": lambda a: np.histogram(a, bins=3)[0],
    "interp": lambda a: np.interp(a, [0.0, 1.0], [1.0, 3.0]),
    "polyfit": lambda a: np.polyfit(np.arange(3.0), a, 2),
    "gradient": lambda a: np.gradient(a),
    "vectorize": lambda a: np.vectorize(lambda v: v * 2)(a),
    "apply": lambda a: np.apply_along_axis(np.sort, 0, a),
    "sorted": lambda a: np.array(sorted(a)),
    "tolist": lambda a: np.array(a.tolist()),
    "float": lambda a: float(a[1]) + float(np.sum(a)),
    "text": lambda a: len(str(a)) + len(repr(a)) + len(f"{a[0]:.3f}"),
    "in": lambda a: 1.0 if 0.5 in a else 2.0,
    "min": lambda a: min(a) + max(a),
    "bytes": lambda a: np.frombuffer(a.tobytes()),
    "shuffle": lambda a: np.random.default_rng(0).shuffle(a) or a * 1,
    "old shuffle": lambda a: np.random.RandomState(0).shuffle(a) or a * 1,
    "masked": lambda a: np.ma.masked_less(np.asarray(a.tolist()), 0.4).sum(),
    "save": lambda a: a.nbytes + a.itemsize + a.strides[0] + a.flags["C_CONTIGUOUS"],
    "is": lambda a: 1.0 if isinstance(a, np.ndarray) else 2.0,
    "scalar": lambda a: 1.0 if isinstance(a[0], float) and np.isscalar(a[0]) else 2.0,
}


# NumPy knows no other arrays than its own by their class; what it does is right.
@pytest.mark.filterwarnings("ignore:you are shuffling:UserWarning")
@pytest.mark.parametrize("name", LIBRARY)
def test_a_library_that_is_called_does_what_it_does_without_a_trace(name):
    def f(x):
        return x * LIBRARY[name](np.linspace(0.0, 1.0, 3))

    graph = bp.trace(f, X)
    np.testing.assert_array_equal(graph.value, f(X))


def test_scikit_learn_and_pandas_get_plain_arrays():
    metrics = pytest.importorskip("sklearn.metrics")
    pandas = pytest.importorskip("pandas")

    def f(x):
        truth, guess = np.array([0.0, 1.0, 1.0]), np.zeros(3)
        table = pandas.DataFrame({"a": np.ones(3), "b": truth})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return x * metrics.mean_squared_error(truth, guess) * table["a"].sum()

    np.testing.assert_array_equal(bp.trace(f, X).value, f(X))


# --- what is kept ------------------------------------------------------------------------


def test_an_array_that_outlives_its_trace_is_still_an_array():
    kept = []

    def f(x):
        kept.append(np.zeros(3))
        kept[-1][0] = 5.0
        return np.sum(x * kept[-1])

    bp.trace(f, X)
    np.testing.assert_array_equal(kept[0], [5.0, 0.0, 0.0])
    kept[0][1] = 7.0
    assert np.sum(kept[0] * 2) == 24.0
    np.testing.assert_array_equal(bp.trace(lambda x: x * kept[0], X).value, X * [5.0, 7.0, 0.0])


def test_state_that_is_kept_between_calls():
    class Layer:
        def __init__(self):
            self.mean = None

        def __call__(self, x):
            if self.mean is None:
                self.mean = np.zeros(3)
            self.mean = 0.9 * self.mean + 0.1 * bp.stop_gradient(np.mean(x, axis=0))
            return np.sum((x - self.mean) ** 2)

    plain, traced = Layer(), Layer()
    for k in range(3):
        assert bp.trace(traced, X + k).value == plain(X + k)
    np.testing.assert_array_equal(traced.mean, plain.mean)
    assert isinstance(traced.mean, np.ndarray)
    assert repr(traced.mean) == repr(plain.mean)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(traced.mean)), plain.mean)
    np.testing.assert_array_equal(copy.deepcopy(traced).mean, plain.mean)


# --- lists of traced values -----------------------------------------------------------

POINT = np.array([0.5, -1.5, 2.0])


def by_its_positions(x):
    total = 0.0
    with np.nditer(x, flags=["multi_index"]) as entries:
        for value in entries:
            total = total + value * np.sin(x[entries.multi_index])
    return total


def by_hand(x):
    entries, total = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"]), 0.0
    while not entries.finished:
        total = total + entries[0] ** 3 * entries.value
        entries.iternext()
    return total


def into_what_is_iterated(x):
    out = np.zeros(3)
    entries = np.nditer(out, flags=["multi_index"])
    for _ in entries:
        out[entries.multi_index] = x[entries.multi_index] ** 2
    return np.sum(out)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.norm([x[0], x[1]]),
        lambda x: np.sum(np.where([True, False], [x[0], 1.0], [x[1], x[2]]) ** 2),
        lambda x: np.sum(np.where(POINT > 0.1, [x[0], 1.0, x[2]], 0.5) * x),
        lambda x: np.polyval([x[0], x[1], 1.0], 2.0) ** 2,
        lambda x: np.trapezoid([x[0], x[1], x[2] * x[0]]),
        lambda x: np.linalg.det([[x[0], x[1]], [1.0, x[2]]]),
        lambda x: np.sum(np.linalg.inv([[x[0] + 3, x[1]], [1.0, x[2] + 2]])),
        lambda x: np.sum(np.linalg.solve([[x[0] + 3, x[1]], [1.0, x[2] + 2]], [x[0], 1.0])),
        lambda x: np.sum(np.vstack([[x[0], 1.0], [2.0, x[1]]]) ** 2),
        lambda x: np.sum(np.stack(([x[0], 1.0], (2.0, x[1])), axis=1)[0] ** 2),
        lambda x: np.sum(np.stack(arrays=[x, x * x])[1]),
        lambda x: np.sum(np.concatenate([[x[0]], [1.0, x[2]]]) ** 2),
        lambda x: np.sum(np.hstack([[x[0]], x, [2.0]]) ** 2),
        lambda x: np.sum(np.column_stack([[x[0], 1.0], (x[1], x[2])])[1] ** 2),
        lambda x: np.sum(np.dstack([[x[0], 1.0], (x[1], x[2])])[0, 0] ** 2),
        lambda x: np.linalg.norm([[x[0], 1.0], [x[1], x[2]]], axis=0)[1],
        lambda x: np.sum(np.sort([x[2], x[0], x[1]]) * np.arange(3.0)),
        lambda x: x[np.argsort([v**2 for v in x])[0]] ** 2,
        lambda x: np.outer([x[0], x[1]], [1.0, x[2]])[0, 1],
        lambda x: np.inner([x[0], x[1]], [3.0, x[2]]),
        lambda x: np.cross([x[0], x[1], 1.0], [0.0, x[2], 2.0])[0],
        lambda x: np.convolve([x[0], x[1]], [1.0, x[2]])[1],
        lambda x: np.interp(0.5, [0.0, 1.0], [x[0], x[1]]),
        lambda x: np.clip([x[0], x[1]], -1.0, 1.0)[0],
        lambda x: np.full_like(np.zeros((2, 2)), x[0])[0, 1] * x[1],
        lambda x: np.sum(np.full_like(np.zeros((2, 3), "f"), x, dtype=float) * x),
        lambda x: np.exp([x[0], x[1]])[1],
        lambda x: np.sum(np.exp([-(v**2) for v in x]) * np.arange(3.0)),
        lambda x: np.sum(np.maximum((x[0], x[1]), 0)),
        lambda x: np.add([x[0], 1.0], [x[1], x[2]])[1],
        lambda x: np.tanh([[x[0]], [x[1]]])[1, 0],
        lambda x: np.add.reduce([x[0], x[1], x[2]]) ** 2,
        lambda x: np.logaddexp.reduce([x[0], x[1]]),
        lambda x: np.multiply.outer([x[0], x[1]], [x[2], 2.0])[0, 0],
        lambda x: np.multiply.accumulate([x[0], x[1], x[2]])[2],
        lambda x: np.matmul([x[0], x[1]], [x[1], x[2]]),
        lambda x: np.diff([x[0], x[1], x[2]])[1],
        lambda x: np.percentile([x[0], x[1], x[2]], 50),
        lambda x: sum((i + 1) * v**2 for (i,), v in np.ndenumerate(x)),
        lambda x: sum(v * v for v in np.nditer(x)),
        lambda x: sum(v * (k + 1) for k, v in enumerate(np.nditer(np.stack([x, x * x]).T))),
        lambda x: sum(v * (k + 1) for k, v in enumerate(np.nditer(x[::-1] * x, order="C"))),
        by_its_positions,
        by_hand,
        into_what_is_iterated,
    ],
    ids=lambda f: str(f.__code__.co_firstlineno),
)
def test_a_list_is_the_array_that_it_stands_for(f):
    assert_differentiable(f, POINT)


def test_an_iterator_over_plain_arrays_is_numpys_own():
    def f(x):
        made, plain = np.zeros(2), np.arange(2.0)
        with np.nditer([made, plain], op_flags=[["readwrite"], ["readonly"]]) as entries:
            for one, other in entries:
                one[...] = other + 1
        return np.sum(x) * np.sum(made)

    assert bp.trace(f, POINT).value == f(POINT)


def test_a_ufunc_that_takes_lists_is_numpys_own_in_all_else():
    def f(x):
        assert isinstance(np.exp, np.ufunc)
        assert np.exp == np.exp
        assert {np.exp: 1, np.add: 2}[EXP] == {EXP: 1}[np.exp] == 1
        assert (np.add.nin, np.add.identity, np.abs) == (2, 0, np.absolute)
        assert repr(np.exp) == repr(EXP)
        assert pickle.loads(pickle.dumps(np.exp)) is np.exp
        assert copy.deepcopy(np.exp) is np.exp
        double = np.frompyfunc(lambda v: 2 * v, 1, 1)
        assert isinstance(double, np.ufunc)
        assert np.add.reduce(np.ones(3)) == np.vectorize(np.add)(1.0, 2.0) == 3.0
        np.testing.assert_array_equal(np.add([1, 2], [3, 4]), [4, 6])
        return np.sum(x)

    assert bp.trace(f, POINT).value == f(POINT)
    assert np.exp is EXP


EXP = np.exp


def gained(x, activation=np.tanh):
    return 5 / 3 * x if activation is np.tanh else activation(x)


def test_a_helper_that_asks_for_the_very_ufunc_is_refused():
    with pytest.raises(bp.UnsupportedError, match="another value when it is traced") as caught:
        bp.trace(lambda x: np.sum(gained(x)), POINT[0])
    assert caught.value.instead.startswith('activation.__name__ == "tanh"')
