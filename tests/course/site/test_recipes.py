"""What ``notebooks/site.md`` tells to do can be done."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.__main__ import parser
from backprop_nb.course.site import command

TEXT = (Path(__file__).parents[3] / "notebooks/site.md").read_text(encoding="utf-8")


HAS_BEAMER = shutil.which("kpsewhich") and not subprocess.call(
    ["kpsewhich", "beamer.cls"], stdout=subprocess.DEVNULL
)


def blocks(language):
    return nonempty(re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE))


WORKFLOW = yaml.safe_load("".join(blocks("yaml")))
STEPS = WORKFLOW["jobs"]["site"]["steps"]
COMMANDS = "\n".join([*blocks("bash"), *(step["run"] for step in STEPS if "run" in step)])


@pytest.mark.parametrize("line", nonempty(re.findall(r"^backprop-nb .*$", COMMANDS, re.MULTILINE)))
def test_a_command_is_understood(line):
    options = parser().parse_args(shlex.split(line)[1:])
    assert options.command == "site"
    assert options.out == "site"


def test_each_option_has_its_row():
    assert re.findall(r"^\| `(--\w+) [A-Z]+` \|", TEXT, re.MULTILINE) == list(command.OPTIONS)


def test_the_workflow_publishes_what_the_command_writes():
    [upload] = [step for step in STEPS if "upload-pages-artifact" in step.get("uses", "")]
    assert upload["with"]["path"] == "site"
    assert "deploy-pages" in STEPS[-1]["uses"]
    assert WORKFLOW["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}


def test_the_code_writes_what_the_directive_and_the_frame_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    graph = bp.trace(lambda x: x**2, 3.0)
    for source in blocks("python"):
        exec(source, {"graph": graph})
    graph.explore().to_html("explorer.html")
    frames = r"\{anywidget\} (\S+)|<iframe (?:data-)?src=\"(\S+?)\""
    files = r"\{(\w+\.(?:pdf|tex))\}|(\w+\.gif\b\S*)"
    named = re.findall(f"{frames}|{files}", TEXT)
    names = {next(filter(None, found)).rstrip('";)') for found in named}
    assert names | {"steps.pdf.txt"} == {path.name for path in tmp_path.iterdir()}


SLIDES = dict(zip(("4 pages", "1 page"), blocks("latex"), strict=True))
"""What is to be written in beamer, by what becomes of it."""


@pytest.mark.skipif(not HAS_BEAMER, reason="no TeX with beamer")
@pytest.mark.parametrize("pages", SLIDES)
def test_tex_sets_a_slide(tmp_path, monkeypatch, pages):
    slide = SLIDES[pages]
    monkeypatch.chdir(tmp_path)
    for source in blocks("python"):
        exec(source, {"graph": bp.trace(lambda x: x**2, 3.0)})
    [preamble] = re.findall(r"^% in the preamble: (.*)$", slide, re.MULTILINE)
    packages = re.findall(r"\\use\w+\{\S+\}", preamble)
    frame = slide if "frame" in slide else rf"\frame{{{slide}}}"
    lines = [r"\documentclass{beamer}", *packages, r"\begin{document}", frame, r"\end{document}"]
    Path("slide.tex").write_text("\n".join(lines), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "slide.tex"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert f"({pages}" in done.stdout
