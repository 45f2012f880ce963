#!/usr/bin/env bash
# A client of Dask that could not be made is the default client all the same.
#
# distributed 2026.8.0, dask 2026.8.0 (November 2026)
#
# `Client("nonsense://x")` raises, since no such protocol is known. A competent engineer takes it that
# nothing has come of it. But the client had made itself the default before it looked at the address,
# and stays so for as long as an error, a cycle or the garbage that has not been looked through keeps
# it: Dask's scheduler is "dask.distributed" from then on, and its default client one that is
# "connecting" to nowhere. An address where nobody listens does no such thing.
#
# Whoever tries an address that others have typed passes `set_as_default=False`.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
  "distributed==2026.8.0" "dask==2026.8.0" </dev/null

cat >"$folder/seen.py" <<'PYTHON'
import logging

import dask
from distributed import Client, default_client


def after(address, **options):
    try:
        Client(address, timeout=1, **options)
    except (OSError, ValueError) as error:
        kept = error
    try:
        client = default_client().status
    except ValueError:
        client = "none"
    return f"{type(kept).__name__}; default client: {client}; scheduler: {dask.config.get('scheduler', None)}"


logging.disable(logging.CRITICAL)
if __name__ == "__main__":
    print("nobody there:", after("tcp://127.0.0.1:1"))
    print("not the default:", after("nonsense://x", set_as_default=False))
    print("no protocol:", after("nonsense://x"), flush=True)
PYTHON

"$folder/venv/bin/python" "$folder/seen.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
nobody there: OSError; default client: none; scheduler: None
not the default: ValueError; default client: none; scheduler: None
no protocol: ValueError; default client: connecting; scheduler: dask.distributed
EXPECTED
