"""The recipe for JupyterLite, followed as far as it goes without a network."""

import json
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from nonempty import nonempty

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "notebooks" / "jupyterlite.md").read_text(encoding="utf-8")
LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("0*.ipynb"))


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    """The folder of static files."""
    pytest.importorskip("jupyterlite_core", reason="JupyterLite is not installed here")
    pytest.importorskip("jupyterlite_pyodide_kernel", reason="nor is its kernel")
    folder = tmp_path_factory.mktemp("lite")
    shutil.copytree(ROOT / "notebooks", folder / "content", ignore=shutil.ignore_patterns("*.py"))
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "wheels"]
    subprocess.run(wheel, cwd=ROOT, check=True, capture_output=True)
    (insert,) = blocks("python")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "insert.py").write_text(insert, encoding="utf-8")
        runpy.run_path("insert.py")
    build = blocks("bash")[1].splitlines()[0]
    assert build.startswith("jupyter lite build")
    command = [sys.executable, "-m", "jupyter", *build.split()[1:]]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)
    return folder / "lite"


@pytest.mark.slow
def test_the_static_build_contains_the_lessons_which_fetch_the_package_first(lite):
    assert LESSONS
    for name in LESSONS:
        cells = json.loads((lite / "files" / name).read_text(encoding="utf-8"))["cells"]
        assert "".join(cells[0]["source"]) == "%pip install -q backprop-nb"


@pytest.mark.slow
def test_the_static_build_contains_the_package_and_names_it_in_its_index(lite):
    (wheel,) = (lite / "pypi").glob("backprop_nb-*-py3-none-any.whl")
    index = json.loads((lite / "pypi" / "all.json").read_text(encoding="utf-8"))
    (release,) = index["backprop-nb"]["releases"].values()
    assert release[0]["filename"] == wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert "backprop_nb/views/explorer/columns.py" in names
    assert "backprop_nb/views/explorer/widget.mjs" in names


@pytest.mark.slow
def test_the_static_build_contains_what_shows_widgets(lite):
    settings = json.loads((lite / "jupyter-lite.json").read_text(encoding="utf-8"))
    extensions = settings["jupyter-config-data"]["federated_extensions"]
    found = {extension["name"] for extension in nonempty(extensions)}
    assert found >= {"anywidget", "@jupyter-widgets/jupyterlab-manager"}
    assert "@jupyterlite/pyodide-kernel-extension" in found
