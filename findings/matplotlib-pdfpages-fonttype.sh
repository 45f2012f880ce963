#!/usr/bin/env bash
# A PDF of several pages loses its letters if `pdf.fonttype` changes before it is closed.
#
# matplotlib 3.11.2 (November 2026): a text is written by the `pdf.fonttype` of the moment, as
# codes of two bytes for 42; the fonts themselves by that of the moment when PdfPages closes.
# With `rc_context({"pdf.fonttype": 42})` around `pages.savefig(figure)` alone, texts for a
# TrueType font meet a Type 3 font.  No warning; poppler says "Missing or bad Type3 CharProc
# entry" and shows a page without a letter.  The context has to be around PdfPages as a whole.
#
# Seen: a font of Type 3, none of TrueType.
# Fails if the font is the one that the text was written for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check matplotlib==3.11.2 </dev/null
cd "$folder"
"$folder/venv/bin/python" -c '
from matplotlib import rc_context
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
with PdfPages("pages.pdf") as pages:
    figure = Figure()
    figure.text(0.5, 0.5, "letters")
    with rc_context({"pdf.fonttype": 42}):
        pages.savefig(figure)
'
grep -a -o "/Subtype /Type3\|/Subtype /CIDFontType2" pages.pdf | sort -u
grep -a -q "/Subtype /Type3" pages.pdf
! grep -a -q "/Subtype /CIDFontType2" pages.pdf
