"""What every test shares: fixed seeds, no windows, and one way to say "cannot run here"."""

import os
from collections.abc import Callable
from typing import NoReturn

import hypothesis
import matplotlib as mpl
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
