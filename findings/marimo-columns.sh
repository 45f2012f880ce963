#!/usr/bin/env bash
# In a script or an app of marimo, code says columns that its file does not have.
#
# marimo 0.25.2 (November 2026): a cell is the body of a function in a Python file.  marimo
# takes its indent off, compiles it alone and moves it to its lines in the file, but not to its
# columns.  So whoever looks up what stands at `co_positions` finds four characters too early;
# Python's own traceback underlines the wrong ones.
#
# Seen: `len` stands at column 15 of its line, and its code says 11.
# Fails if the code says the column of the file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check marimo==0.25.2 </dev/null
cat >"$folder/notebook.py" <<'NOTEBOOK'
import marimo

app = marimo.App()


@app.cell
def _():
    def f(x):
        return len(x)

    print("code:", [p[2] for p in f.__code__.co_positions() if p[0] == 9])
    return


if __name__ == "__main__":
    app.run()
NOTEBOOK
said=$("$folder/venv/bin/python" "$folder/notebook.py")
echo "$said; file: $(sed -n 9p "$folder/notebook.py" | grep -bo 'len' | cut -d: -f1)"
grep -q "11" <<<"$said"
