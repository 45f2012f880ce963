"""A class as it hands in: whoever is right has full marks, and nobody is lost."""

import pytest
from realistic import NOTHING, STYLES, Found, graded


@pytest.mark.slow
def test_a_class_of_many_styles_is_graded_fairly(tmp_path):
    """Right ones below full marks, reasons that are missing, students who are not seen: none."""
    assert len(STYLES) >= 20
    assert len(NOTHING) == 3
    assert graded(tmp_path, 200, scheduler="threads", timeout=2.0) == Found([], [], [], [])
