"""Every reference to an equation of the document, wherever it stands, is to one that exists.

The form is "equation [loss]", and "equations [loss], [theta]" for several.
"""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from backprop_nb.network.document import EQUATIONS

ROOT = Path(__file__).parent.parent
TAGS = {equation.tag for equation in EQUATIONS}

FOLDERS = ["backprop_nb", "notebooks", "tests"]
SUFFIXES = {".py", ".mjs", ".ipynb", ".md"}
FILES = sorted(
    [
        *ROOT.glob("*.md"),
        *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*")),
    ]
)
FILES = [
    path for path in FILES if path.suffix in SUFFIXES and ".ipynb_checkpoints" not in str(path)
]

# Between two words, and two tags, a line may end, and the next begin with the mark of a comment.
GAP = r"(?:\s|#|//|\*)"
TAG = r"\[([a-z][\w-]*)\]"
REFERENCE = re.compile(
    rf"\bequations?{GAP}+({TAG}(?:,?{GAP}*(?:\band\b|\bor\b)?{GAP}*{TAG})*)", re.IGNORECASE
)


def text_of(path):
    """Return what somebody wrote; of a notebook the sources, not what a run put below them."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        return "\n\n".join(cell.source for cell in cells)
    return path.read_text(encoding="utf-8")


def references(path):
    """Return the tags that a file refers to."""
    found = REFERENCE.finditer(text_of(path))
    return {tag for match in found for tag in re.findall(TAG, match[1])}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_reference_is_to_an_equation_of_the_document(path):
    assert references(path) <= TAGS


def test_the_sources_are_among_the_files():
    names = {str(path.relative_to(ROOT)) for path in FILES}
    assert names >= {
        "README.md",
        "backprop_nb/network/sigmoid.py",
        "backprop_nb/views/view.mjs",
        "notebooks/01_derivation.ipynb",
        "tests/test_references.py",
    }


def test_the_network_says_which_equations_it_is_written_from():
    expected = {"composition", "layer", "sigmoid", "loss", "theta", "chain-general"}
    files = [ROOT / "backprop_nb/network" / name for name in ("passes.py", "sigmoid.py")]
    assert set().union(*map(references, files)) == expected


# --- the rule itself must be able to fail --------------------------------------

GONE = "[long-gone]"  # apart from the word, so that this file does not refer to it


@pytest.mark.parametrize(
    "text",
    [
        f"This is equation {GONE}.",
        f"Equation {GONE}: the first word of a sentence.",
        f"equations [loss], {GONE}",
        f"equations [loss] and {GONE}",
        f"equations [loss],\n    [layer], {GONE}",
        f"# see equation\n# {GONE}",
        f"    // see equations [loss],\n    // {GONE}",
    ],
)
@pytest.mark.parametrize("name", ["code.py", "view.mjs", "README.md"])
def test_a_stale_reference_is_caught(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert references(path) - TAGS == {"long-gone"}


@pytest.mark.parametrize("new_cell", [new_code_cell, new_markdown_cell])
def test_a_stale_reference_in_a_notebook_is_caught(tmp_path, new_cell):
    path = tmp_path / "lesson.ipynb"
    cells = [new_cell("equation [loss]"), new_cell(f"# equation {GONE}")]
    nbformat.write(new_notebook(cells=cells), path)
    assert references(path) - TAGS == {"long-gone"}


def test_what_only_looks_like_a_reference_is_none(tmp_path):
    path = tmp_path / "code.py"
    path.write_text('f"equation [{tag}]"; equations[0]; an equation (see [1])', encoding="utf-8")
    assert references(path) == set()
