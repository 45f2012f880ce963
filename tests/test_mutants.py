"""Every fault of ``tests/mutants.py`` can still be planted."""

from pathlib import Path

import pytest
from mutants import MUTANTS, ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_can_be_planted_in_one_place(mutant):
    assert (ROOT / mutant.path).read_text(encoding="utf-8").count(mutant.right) == 1
    assert mutant.wrong != mutant.right
    assert all(Path(ROOT, each).exists() for each in mutant.tests)


def test_there_are_faults_all_over_the_package():
    assert len(MUTANTS) == len({mutant.name for mutant in MUTANTS}) >= 60
    assert len({mutant.wing for mutant in MUTANTS}) >= 8
