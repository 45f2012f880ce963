"""What every test shares: fixed seeds, no windows, and one way to say "cannot run here"."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import hypothesis
import matplotlib as mpl
import numpy as np
import pytest

collect_ignore = ["benchmarks"]  # scripts with peers of their own, run by hand

hypothesis.settings.register_profile("project", derandomize=True, deadline=None)
hypothesis.settings.load_profile("project")

# Not through MPLBACKEND: the notebooks' kernels would inherit it and show no figure.
mpl.use("agg")


@pytest.fixture(scope="session")
def cannot_run() -> Callable[[str], NoReturn]:
    """Skip for want of a browser or of node, or fail where they are promised to be there."""

    def give_up(reason: str) -> NoReturn:
        if os.environ.get("BACKPROP_NB_REQUIRE_BROWSER") == "1":
            pytest.fail(f"BACKPROP_NB_REQUIRE_BROWSER=1, but {reason}")
        pytest.skip(reason)

    return give_up


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    """Fail a test that changes how NumPy prints or warns for those after it."""
    before = np.get_printoptions(), np.geterr()
    yield
    after = np.get_printoptions(), np.geterr()
    np.set_printoptions(**before[0])
    np.seterr(**before[1])
    assert after == before


_AT_FIRST: dict[np.random.Generator, Mapping[str, Any]] = {}


@pytest.fixture(autouse=True)
def _draws_are_those_of_any_order(request: pytest.FixtureRequest) -> None:
    """Put the generators of a test's module back to where they were before its first test."""
    module = getattr(request.node, "module", None)
    for each in vars(module).values() if module else ():
        if isinstance(each, np.random.Generator):
            each.bit_generator.state = _AT_FIRST.setdefault(each, each.bit_generator.state)
