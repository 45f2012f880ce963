"""Tests of rows are made from what each test file lists: CASES, FORMS and CALLED."""

import importlib

import pytest


def _rows(module):
    """Return the rows of the module that a test file mirrors."""
    name = module.__name__.rpartition("test_")[2]
    return importlib.import_module(f"backprop_nb.tracing.rules.{name}").ROWS


def pytest_generate_tests(metafunc):
    """Give each test of :class:`rule_checks.RowTests` a row, or a row and one of its cases."""
    module, wanted = metafunc.module, metafunc.fixturenames
    if "call" in wanted:
        called = getattr(module, "CALLED", {})
        parameters = [
            pytest.param(row, call, called.get(row.name), id=f"{row.name}-{k}")
            for row in _rows(module)
            for k, call in enumerate(module.CASES.get(row.name, []))
        ]
        metafunc.parametrize(("row", "call", "called"), parameters)
    elif "forms" in wanted and "row" in wanted:
        metafunc.parametrize("row", _rows(module), ids=lambda row: row.name)


@pytest.fixture
def rows(request):
    return _rows(request.module)


@pytest.fixture
def cases(request):
    return request.module.CASES


@pytest.fixture
def forms(request):
    return request.module.FORMS
