"""Tests are made from what each test file lists: CASES, FORMS, CALLED, MADE and REFUSED."""

import importlib

import pytest


def _rows(module):
    """Return the rows of the module that a test file mirrors."""
    name = module.__name__.rpartition("test_")[2]
    return importlib.import_module(f"backprop_nb.tracing.rules.{name}").ROWS


def pytest_generate_tests(metafunc):
    """Give each test of :mod:`rule_checks` a row, a row and one of its cases, or a call."""
    module, wanted = metafunc.module, metafunc.fixturenames
    for name, calls in {"made": "MADE", "refused": "REFUSED"}.items():
        if name in wanted:
            listed = getattr(module, calls)
            metafunc.parametrize(name, listed.values(), ids=listed)

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
