"""What axe-core finds on a page that keeps somebody out."""

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# axe-core as it is, in a package that needs no npm.
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# It would fetch the style sheets once more, which the policy of a page forbids.
RUN = "within => axe.run(within, { resultTypes: ['violations'], preload: false })"


def violations(page: "Page", within: str = ":root") -> list[str]:
    """Return the broken rules in what a selector finds, each with the first place."""
    if page.evaluate("!window.axe"):
        page.evaluate(AXE)
    found = page.evaluate(RUN, within)["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found]
