"""Lines that hand a value on have steps of their own, which can be replayed and blamed."""

import numpy as np
import pytest

from backprop_nb import check_gradient
from backprop_nb.checking.lines.aliases import is_alias, is_handed_on, text_of
from backprop_nb.checking.lines.followed import Followed
from backprop_nb.tracing.source import locate

X = np.random.default_rng(0).normal(size=(5, 3))
Y = np.random.default_rng(1).normal(size=(5, 2))
W, V = np.random.default_rng(2).normal(size=(3, 4)), np.random.default_rng(3).normal(size=(4, 2))


def steps(gradient, *args):
    """Return the statements that hand something on."""
    followed = Followed(gradient, args, set(range(len(args))))
    return [
        str(text_of(locate(record.scope.code, record.lasti)))
        for record in followed.records
        if is_alias(record)
    ]


def test_a_name_for_what_is_there_is_a_step():
    def gradient(w):
        a = w * 2
        b = a
        return [b * 3]

    assert steps(gradient, W) == ["b = a"]


def test_what_is_computed_has_no_second_step():
    def gradient(w):
        a = w * 2
        b = a * a
        b += w
        return [b * 2]

    assert steps(gradient, W) == []


def test_what_is_returned_in_a_list_or_a_dict_is_chosen_there():
    def gradient(w):
        a = w * 2
        b = w * 3
        return [a, b]

    assert steps(gradient, W) == ["return [a, b]"] * 2


def test_an_entry_read_and_an_entry_written():
    def gradient(w):
        cache = {}
        z = w * 2
        cache["z"] = z
        a = cache["z"]
        return [a * 3]

    assert steps(gradient, W) == ['cache["z"] = z', 'a = cache["z"]']


def test_what_a_helper_returns_without_computing_it():
    def helper(d):
        return d

    def gradient(w):
        d = w * 2
        e = helper(d)
        return [e * 3]

    assert steps(gradient, W) == ["return d", "e = helper(d)"]


def test_attributes_and_lists():
    class Layer:
        pass

    def gradient(w):
        layer = Layer()
        z = w * 2
        layer.z = z
        zs = [w * 3]
        last = zs[-1]
        return [layer.z * last]

    assert steps(gradient, W) == ["layer.z = z", "last = zs[-1]"]


def test_several_names_in_one_line_are_several_steps():
    def gradient(w):
        caches = [(w * 2, w * 3)]
        a, b = caches[-1]
        return [a * b]

    followed = Followed(gradient, [W], {0})
    places = {record.lasti for record in followed.records if is_alias(record)}
    assert len(places) == 2


def test_a_gradient_handed_over_under_another_name():
    def gradient(w):
        grads = {}
        d = w * 2
        grads["w"] = d
        return [grads["w"]]

    followed = Followed(gradient, [W], {0})
    assert is_handed_on(followed.records[followed.leaves[0]])


def test_only_who_read_the_new_name_is_behind_the_step():
    def gradient(w):
        a = w * 2
        b = a
        return [a * 3, b * 5]

    followed = Followed(gradient, [W], {0})
    [step] = [k for k, record in enumerate(followed.records) if is_alias(record)]
    values = followed.replay({step: lambda values: 0 * values[step]})
    np.testing.assert_array_equal(followed.gradients(values)[0], W * 6)
    np.testing.assert_array_equal(followed.gradients(values)[1], W * 0)


def test_steps_change_no_value():
    def gradient(w):
        total = np.zeros_like(w)
        for k in range(3):
            part = w * k
            total += part
            last = part
        return [total, last]

    followed = Followed(gradient, [W], {0})
    again = followed.replay({0: lambda _: W})
    for one, other in zip(followed.gradients(), followed.gradients(again), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(followed.gradients()[1], W * 2)


def loss(w, v):
    return 0.5 * np.sum((np.tanh(X @ w) @ v - Y) ** 2)


def lines(gradient):
    """Return the findings that name a line, which is counted from that of the function."""
    first = gradient.__code__.co_firstlineno
    findings = check_gradient(loss, gradient, W, V).findings
    return [(each.line - first, each.source) for each in findings if each.line and each.rank == 1]


def no_slope(w, v):
    h = np.tanh(X @ w)
    e = h @ v - Y
    back = e @ v.T
    delta = back
    return X.T @ delta, h.T @ e


def wrong_entry(w, v):
    cache = {"z": X @ w}
    cache["h"] = np.tanh(cache["z"])
    e = cache["h"] @ v - Y
    delta = e @ v.T * (1 - cache["h"] ** 2)
    h = cache["z"]
    return X.T @ delta, h.T @ e


def slope(d, h):
    return d


def helper_without_slope(w, v):
    h = np.tanh(X @ w)
    e = h @ v - Y
    delta = slope(e @ v.T, h)
    return X.T @ delta, h.T @ e


def last_sample_only(w, v):
    dw, dv = np.zeros_like(w), 0.0
    for x, y in zip(X, Y, strict=False):
        h = np.tanh(x @ w)
        e = h @ v - y
        dw += np.outer(x, e @ v.T * (1 - h**2))
        part = np.outer(h, e)
        dv = part
    return dw, dv


@pytest.mark.parametrize(
    ("gradient", "expected"),
    [
        (no_slope, (4, "back")),
        (wrong_entry, (5, 'cache["z"]')),
        (helper_without_slope, (-3, "d")),
        (last_sample_only, (7, "dv = part")),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_the_line_is_found(gradient, expected):
    line, source = expected
    assert any(line == its and source in text for its, text in lines(gradient))
