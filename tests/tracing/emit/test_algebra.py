"""What a rule leaves behind falls away, and the numbers stay the same."""

import numpy as np
import pytest

from backprop_nb.tracing.emit.algebra import Algebra, Expression
from backprop_nb.tracing.rules import TABLE

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
D = np.array([[2.0, 1.0], [0.5, -1.0]])


class Checked(Algebra):
    """An algebra that computes what each operand stands for, to compare."""

    def of(self, operand):
        if operand.row is None:
            return np.asarray(operand.value)
        return operand.row.call(*map(self.of, operand.operands), **operand.keywords)

    def make(self, function, *operands, **keywords):
        values = [self.of(operand) for operand in operands]
        value = np.asarray(TABLE[function].call(*values, **keywords))
        operand = self.call(TABLE[function], operands, keywords, value)
        np.testing.assert_allclose(np.broadcast_to(self.of(operand), value.shape), value)
        return operand


@pytest.fixture
def algebra():
    return Checked()


@pytest.fixture
def x(algebra):
    return algebra.leaf(X)


def is_number(operand, value):
    return operand.is_number and operand.value == value


def test_a_factor_of_one_falls_away(algebra, x):
    assert algebra.make(np.multiply, Expression(1), x) == x
    assert algebra.make(np.multiply, x, Expression(1.0)) == x


def test_factors_are_multiplied_out(algebra, x):
    inner = algebra.make(np.multiply, Expression(2), x)
    outer = algebra.make(np.multiply, inner, Expression(3))
    assert is_number(outer.operands[0], 6)
    assert outer.operands[1] is x


def test_a_factor_of_minus_one_is_a_minus(algebra, x):
    assert algebra.make(np.multiply, x, Expression(-1)).calls(np.negative)


def test_two_minuses_cancel(algebra, x):
    assert algebra.make(np.negative, algebra.make(np.negative, x)) == x


def test_a_minus_goes_into_a_factor(algebra, x):
    scaled = algebra.make(np.multiply, Expression(2), x)
    number, rest = algebra.make(np.negative, scaled).operands
    assert is_number(number, -2)
    assert rest is x


def test_a_number_stretched_to_an_array_stretches_by_itself(algebra, x):
    ones = algebra.make(np.broadcast_to, Expression(1), shape=X.shape)
    assert algebra.make(np.multiply, ones, x) == x
    number = algebra.leaf(np.float64(2.5))
    stretched = algebra.make(np.broadcast_to, number, shape=X.shape)
    assert algebra.make(np.add, stretched, x).operands == (number, x)


def test_a_stretching_that_is_needed_stays(algebra):
    row = algebra.leaf(np.arange(3.0))
    stretched = algebra.make(np.broadcast_to, row, shape=(2, 3))
    product = algebra.make(np.multiply, stretched, row)
    assert product.operands == (stretched, row)


def test_a_shape_that_does_not_change_falls_away(algebra, x):
    assert algebra.make(np.reshape, x, shape=X.shape) == x
    assert algebra.make(np.broadcast_to, x, shape=X.shape) == x


def test_room_in_a_stretched_number_is_one_stretching(algebra):
    half = algebra.make(np.broadcast_to, Expression(0.5), shape=(2,))
    wide = algebra.make(np.broadcast_to, algebra.make(np.expand_dims, half, axis=1), shape=(2, 3))
    assert is_number(*wide.operands, 0.5)


def test_two_transposes_cancel(algebra, x):
    assert algebra.make(np.transpose, algebra.make(np.transpose, x)) == x


def test_the_transpose_of_a_product_with_a_transpose_is_turned_round(algebra, x):
    d = algebra.leaf(D)
    product = algebra.make(np.matmul, algebra.make(np.transpose, x), d)
    turned = algebra.make(np.transpose, product)
    assert turned.calls(np.matmul)
    assert turned.operands[1] == x


def test_the_transpose_of_a_vector_is_the_vector(algebra):
    v = algebra.leaf(np.ones(3))
    assert algebra.make(np.transpose, v) == v


def test_literals_are_divided_at_once(algebra):
    assert is_number(algebra.make(np.true_divide, Expression(1), Expression(4)), 0.25)


def test_the_same_call_is_made_once(algebra, x):
    assert algebra.make(np.sin, x) == algebra.make(np.sin, x)
    assert algebra.make(np.sum, x, axis=0) != algebra.make(np.sum, x, axis=1)


def test_float32_is_not_widened_by_a_number(algebra):
    single = algebra.leaf(np.ones(2, np.float32))
    double = algebra.leaf(np.ones(2))
    ones = algebra.make(np.broadcast_to, Expression(1.0), shape=(2,))
    assert algebra.make(np.multiply, ones, double) == double
    value = np.ones(2)  # float64 times float32 is float64, so the factor must stay
    kept = algebra.call(TABLE[np.multiply], (ones, single), {}, value)
    assert kept != single
