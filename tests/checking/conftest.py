"""What a student has written in a file: a text that can be imported."""

import pytest
from entry import imported


@pytest.fixture
def written(tmp_path):
    """Return what imports a text from a file of its own."""

    def module(text):
        path = tmp_path / f"module_{len([*tmp_path.iterdir()])}.py"
        path.write_text(text, encoding="utf-8")
        return imported(path)

    return module
