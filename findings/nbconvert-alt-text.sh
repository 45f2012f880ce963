#!/usr/bin/env bash
# nbconvert's pages have no text for a picture whose output has one.
#
# nbconvert 7.17.2 (November 2026): the classic template writes `alt` of an output's metadata
# into the page, as {"image/png": {"alt": …}}.  The default template, lab, does not look at it:
# the page says "No description has been provided for this image", and the log counts the images.
# Words reach the page only within an output of HTML.
#
# Seen: classic: "A line", lab: "No description has been provided for this image".
# Fails if the lab template has the text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check nbconvert==7.17.2 </dev/null
"$folder/venv/bin/python" - <<'EOP'
import re
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output

picture = new_output(
    "display_data", data={"image/png": ""}, metadata={"image/png": {"alt": "A line"}}
)
notebook = new_notebook(cells=[new_code_cell("plot()", outputs=[picture])])
alts = {}
for template in ("classic", "lab"):
    page, _ = HTMLExporter(template_name=template).from_notebook_node(notebook)
    alts[template] = re.search(r'<img\b[^>]*\balt="([^"]*)"', page)[1]
    print(f"{template}: {alts[template]}")
assert alts["lab"] != "A line"
EOP
