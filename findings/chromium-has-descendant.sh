#!/usr/bin/env bash
# In Chromium :has(.found) costs time at each change deep inside, however early it is found.
#
# Chromium 156 (November 2026): for `.outer:has(.found)` all that is in .outer is gone through anew
# whenever an element with any other class comes in somewhere below, though .found is the first
# child.  So it is with `:has(+ .next .found)`.  With child for descendant, `.outer:has(> .found)`,
# it costs nothing.
#
# Seen, for 100 changes in one of 20,000 elements: 89 ms for the descendant, 6 ms for the child.
# Fails if the descendant takes less than ten times as long as the child.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check playwright==1.65.2 </dev/null
CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) \
  "$folder/venv/bin/python" - <<'SCRIPT'
import os

from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"]
CHANGE = """selector => {
    document.body.innerHTML = "<main class=outer><p class=found></p><section></section></main>";
    const [outer, many] = document.querySelectorAll("main, section");
    for (let k = 0; k < 20000; k++) many.append(document.createElement("i"));
    const style = document.head.appendChild(document.createElement("style"));
    style.textContent = selector + " { outline: 1px solid }";
    const place = many.children[10000];
    const changed = () => {
        place.replaceChildren(Object.assign(document.createElement("b"), { className: "other" }));
        return getComputedStyle(place.firstChild).color;
    };
    changed();
    if (getComputedStyle(outer).outlineStyle !== "solid") throw new Error("not found");
    const start = performance.now();
    for (let k = 0; k < 100; k++) changed();
    const time = performance.now() - start;
    style.remove();
    return time;
}"""

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=FLAGS)
    page = browser.new_page()
    child, descendant = (page.evaluate(CHANGE, f".outer:has({far}.found)") for far in ("> ", ""))
    browser.close()
print(f"child {child:.1f} ms, descendant {descendant:.1f} ms")
raise SystemExit(descendant < 10 * child)
SCRIPT
