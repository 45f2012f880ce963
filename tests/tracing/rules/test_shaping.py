"""Shapes: what courses squeeze, select and cast, in the printed program too."""

import numpy as np
import pytest
from rule_checks import RowTests, case, ways

from backprop_nb.tracing import trace

CASES = {
    **{f"atleast_{n}d": [case(()), case((3,)), case((2, 3)), case((2, 3, 4))] for n in (1, 2, 3)},
    "transpose": [
        case((3,)),
        case((2, 3)),
        case((2, 3, 4)),
        case((3,), axes=0),
        case((2, 3, 4), axes=(2, 0, 1)),
        case((2, 3, 4), axes=[2, 0, 1]),
        case((2, 3, 4), axes=np.array([2, 0, 1])),
        case((2, 3, 4), axes=(-1, 0, -2)),
    ],
    "swapaxes": [case((2, 3), axis1=0, axis2=1), case((2, 3, 4), axis1=-1, axis2=0)],
    "reshape": [
        case((), shape=(1, 1)),
        case((6,), shape=(2, 3)),
        case((6,), shape=[2, 3]),
        case((6,), shape=np.array([2, 3])),
        case((2, 3), shape=-1),
        case((2, 3, 2), shape=(3, -1)),
        case((2, 3), shape=(3, 2), order="F"),
    ],
    "ravel": [case(()), case((2, 3)), case((2, 3), order="F")],
    "expand_dims": [
        case((), axis=0),
        case((3,), axis=-1),
        case((3,), axis=(0, 2)),
        case((2, 3), axis=1),
    ],
    "broadcast_to": [
        case((), shape=(2, 3)),
        case((3,), shape=(2, 3)),
        case((2, 1), shape=(4, 2, 3)),
        case((3,), shape=(3,)),
    ],
    "astype": [case((), dtype=float), case((2, 3), dtype=np.float64)],
    "matrix_transpose": [case((2, 3)), case((4, 2, 3))],
    "squeeze": [
        case((1, 3, 1)),
        case((1, 3, 1), axis=0),
        case((1, 3, 1), axis=(0, -1)),
        case((2, 3)),
        case((1, 1)),
    ],
    "tril": [case((3, 3)), case((2, 3), k=1), case((2, 3, 3), k=-1), case((3,))],
    "triu": [case((3, 3)), case((2, 3), k=1), case((2, 3, 3), k=-1), case((3,))],
    "moveaxis": [
        case((2, 3, 4), source=0, destination=-1),
        case((2, 3, 4), source=(0, 1), destination=(2, 0)),
        case((2, 3, 4), source=[0, 1], destination=[-1, -2]),
    ],
    "rollaxis": [
        *(case((2, 3, 4), axis=axis, start=k) for axis in (0, 1, -1) for k in (0, 1, 3, -1)),
        case((2, 3, 4), axis=2),
    ],
    "roll": [
        case((5,), shift=2),
        case((2, 3), shift=-1),
        case((2, 3), shift=1, axis=-1),
        case((2, 3), shift=(1, 2), axis=(0, 1)),
        case((2, 3), shift=2, axis=(0, 1)),
    ],
    "rot90": [case((2, 3)), case((2, 3), k=2), case((2, 3, 4), k=-1, axes=(1, 2))],
    "flip": [case((3,)), case((2, 3)), case((2, 3), axis=-1), case((2, 3, 4), axis=(0, 2))],
    "fliplr": [case((2, 3))],
    "flipud": [case((2, 3)), case((3,))],
}

# Ways to write one and the same call.
FORMS = {
    **{f.__name__: [lambda x, f=f: f(x)] for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d)},
    "transpose": [*ways(np.transpose), lambda x: x.T, lambda x: x.transpose(None)],
    "swapaxes": [
        lambda x: x.swapaxes(0, 1),
        lambda x: np.swapaxes(x, 0, 1),
        lambda x: np.swapaxes(x, axis2=1, axis1=0),
    ],
    "reshape": [
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape((3, 2)),
        lambda x: x.reshape([3, 2], order="C"),
        lambda x: np.reshape(x, (3, 2)),
        lambda x: np.reshape(x, shape=np.array([3, 2])),
        lambda x: np.reshape(x, (3, 2), "C"),
    ],
    "ravel": [*ways(np.ravel, order="C"), lambda x: x.ravel(), lambda x: x.flatten()],
    "expand_dims": ways(np.expand_dims, axis=0),
    "broadcast_to": ways(np.broadcast_to, shape=[4, 2, 3]),
    "astype": [lambda x: x.astype(np.float32), lambda x: x.astype(dtype=np.float32)],
    "matrix_transpose": [
        *ways(np.matrix_transpose),
        lambda x: x.mT,
        lambda x: np.linalg.matrix_transpose(x),
    ],
    "squeeze": ways(np.squeeze, on=lambda x: (x[None],), axis=0),
    "tril": ways(np.tril, k=1),
    "triu": ways(np.triu, k=1),
    "moveaxis": ways(np.moveaxis, source=0, destination=1),
    "rollaxis": ways(np.rollaxis, axis=1, start=0),
    "roll": ways(np.roll, shift=1, axis=0),
    "rot90": ways(np.rot90, k=3, axes=[1, 0]),
    "flip": ways(np.flip, axis=0),
    "fliplr": ways(np.fliplr),
    "flipud": ways(np.flipud),
}


class TestRows(RowTests):
    """The tests that every row shares."""


@pytest.mark.skipif(not hasattr(np, "astype"), reason="np.astype came with NumPy 2.1")
def test_the_function_astype_is_the_method():
    graph = trace(lambda x: np.astype(x, np.float32) * 2, np.ones(2))
    assert [node.op for node in graph.nodes][1:] == ["astype", "multiply"]
    assert graph.value.dtype == np.float32
