"""What is made of the repository's address, which stands in pyproject.toml alone.

    python binder/links.py    # after a change of the address or the version: Binder's link

The README's links into the project are relative, so that they work wherever the repository lies.
When a package is built, this is the hook that makes them absolute, for the package index.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from hatchling.metadata.plugin.interface import MetadataHookInterface

ROOT = Path(__file__).parent.parent
FIRST = "notebooks/00_start_here.ipynb"

BADGE = re.compile(r"(?<=\[!\[Open in Binder\]\(https://mybinder.org/badge_logo.svg\)\]\()[^)]*")
LINK = re.compile(r'(\]\(|(?:src|srcset)=")(?!https?:|#)([^)"]+)')
FENCED = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
ONLY_HERE = re.compile(r"<!-- only here -->.*?<!-- -->", re.DOTALL)


def address() -> str:
    """Return where the repository is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Repository"]).rstrip("/")


def tag() -> str:
    """Return the tag of the release."""
    source = (ROOT / "backprop_nb/__init__.py").read_text(encoding="utf-8")
    [version] = re.findall(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    return f"v{version}"


def binder(at: str, tag: str) -> str:
    """Return the address at which Binder builds the release, and opens the first lesson.

    Examples
    --------
    >>> binder("https://github.com/ada/engine", "v1")
    'https://mybinder.org/v2/gh/ada/engine/v1?labpath=notebooks%2F00_start_here.ipynb'
    >>> binder("https://git.example.org/ada/engine", "v1").partition("?")[0]
    'https://mybinder.org/v2/git/https%3A%2F%2Fgit.example.org%2Fada%2Fengine/v1'
    """
    on_github = re.fullmatch(r"https://github\.com/([^/]+/[^/]+)", at)
    where = f"gh/{on_github[1]}" if on_github else f"git/{quote(at, safe='')}"
    return f"https://mybinder.org/v2/{where}/{tag}?labpath={quote(FIRST, safe='')}"


def for_the_index(readme: str, at: str, tag: str) -> str:
    """Return the README as the package index shows it: with whole links, and installed from there.

    Examples
    --------
    >>> print(for_the_index("[a](b.md) ![c](d.png)", "https://example.org/e", "v1"))
    [a](https://example.org/e/blob/v1/b.md) ![c](https://example.org/e/raw/v1/d.png)
    """

    def whole(link: re.Match[str]) -> str:
        kind = "raw" if link[2].endswith(".png") else "blob"
        return f"{link[1]}{at}/{kind}/{tag}/{link[2]}"

    readme = ONLY_HERE.sub("", readme).replace('".[lab]"', '"backprop-nb[lab]"')
    parts = FENCED.split(readme)  # code, which has brackets of its own, at the odd places
    parts[::2] = [LINK.sub(whole, part) for part in parts[::2]]
    return "".join(parts)


class ReadmeHook(MetadataHookInterface):
    """Gives the package its description."""

    def update(self, metadata: Mapping[str, object]) -> None:
        """Add the README to the project's metadata."""
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        text = for_the_index(text, address(), tag())
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def main() -> None:
    """Write Binder's link into the README."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(BADGE.sub(binder(address(), tag()), text), encoding="utf-8")


if __name__ == "__main__":
    main()
