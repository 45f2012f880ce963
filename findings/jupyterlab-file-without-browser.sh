#!/usr/bin/env bash
# The address that `jupyter lab FILE --no-browser` prints does not open FILE.
#
# JupyterLab 4.6.6 with jupyter-server 2.21.1 (November 2026): FILE is opened only through the
# redirect file that a browser of its own is sent to.  Without one, on a remote machine say, all
# addresses that are printed, and those in the server's info file, lead to /lab, which opens what
# was open last.  `--LabApp.default_url=/lab/tree/FILE` is in the addresses.
#
# Seen: four addresses, none with lesson.ipynb; with default_url all of them.
# Fails if an address has the file's name without it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
  jupyterlab==4.6.6 jupyter-server==2.21.1 </dev/null
mkdir "$folder/work"
cd "$folder/work"
echo '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}' >lesson.ipynb

addresses() { # how many addresses a server prints, and how many of them name the file
  JUPYTER_CONFIG_DIR="$folder/config" JUPYTER_RUNTIME_DIR="$folder/runtime" timeout 60 \
    "$folder/venv/bin/jupyter" lab --no-browser --allow-root --port=0 "$@" >"$folder/log" 2>&1 &
  server=$!
  until grep -q "127.0.0.1.*token=" "$folder/log"; do sleep 0.2; done
  sleep 1
  kill "$server"
  wait "$server" || true
  echo "$(grep -c 'token=' "$folder/log") $(grep -c 'lesson.ipynb?token=' "$folder/log" || true)"
}

plain=$(addresses lesson.ipynb)
told=$(addresses --LabApp.default_url=/lab/tree/lesson.ipynb)
echo "lesson.ipynb: $plain; default_url: $told"
[ "${plain#* }" = 0 ] && [ "${told#* }" != 0 ]
