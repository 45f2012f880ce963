"""The command: what all of its commands share."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import backprop_nb
from backprop_nb.__main__ import COMMANDS, INTERRUPTED, WRONG_USE, main, parser

ROOT = Path(__file__).parent.parent


def test_it_tells_its_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"backprop-nb {backprop_nb.__version__}\n"


def test_the_project_installs_the_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["backprop-nb"].partition(":")
    assert getattr(__import__(module, fromlist=[name]), name) is main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_help(name):
    assert re.search(rf"^    {name}\s+\w", parser().format_help(), re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_options_that_may_have_been_meant_are_those_that_the_command_has(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    help_text = re.sub(r'"[^"]*"', "", capsys.readouterr().out)  # without examples
    known = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", help_text)) - {"--help"}
    assert known == set(COMMANDS[name].OPTIONS)


@pytest.mark.parametrize("words", [[], ["--verbose"], ["grad"], ["Grade"]])
def test_without_a_command_that_exists_the_choice_is_told(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == WRONG_USE
    said = capsys.readouterr().err
    assert "COMMAND" in said
    assert "choose from" in said


def test_an_interrupt_while_it_loads_is_one_line_and_a_code(tmp_path):
    interrupting = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nwhile True: pass\n"
    (tmp_path / "statistics.py").write_text(interrupting)  # one of the last to be loaded
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    ended = subprocess.run(
        [sys.executable, "-m", "backprop_nb", "--version"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (INTERRUPTED, "Stopped before it began.\n")
    assert not ended.stdout
