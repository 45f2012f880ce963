"""A reader's Jupyter of its own: to write the lessons signs them, and not for whoever tests."""

import pytest


@pytest.fixture(autouse=True)
def jupyters_data(monkeypatch, tmp_path_factory):
    """Where Jupyter keeps whom it trusts."""
    place = tmp_path_factory.mktemp("jupyter") / "data"
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(place))
    return place
