"""What a printed program says does not hang on where its lines are broken."""

import ast
from unittest import mock

from backprop_nb.tracing.emit import wrapping

ENDLESS = 1_000_000
NARROW = 40
"""Few lines fit, so that what a program prints is broken wherever it can be."""


def printed_at(width, graph):
    with mock.patch.object(wrapping, "WIDTH", width):
        return graph.to_numpy()


def assert_breaks_change_nothing(graph):
    meant = ast.dump(ast.parse(printed_at(ENDLESS, graph)))
    for width in (wrapping.WIDTH, NARROW):
        source = printed_at(width, graph)
        assert ast.dump(ast.parse(source)) == meant, source
