"""What the pages of a site link to, and what of it is not there."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit


class Read(HTMLParser):
    """The elements of a page, its ids and addresses, and the texts of its elements by tag."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.texts, self._open = [], {}, []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._open.append(tag)

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        for tag in set(self._open):
            self.texts[tag] = self.texts.get(tag, "") + data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def addresses(self):
        """What a reader can follow, and what a browser loads by itself: pairs of tag, address."""
        for tag, attributes in self.elements:
            for name in ("href", "src", "srcset", "action", "data"):
                if attributes.get(name) is not None and "property" not in attributes:
                    yield tag, attributes[name]


def faults(site):
    """Return what is wrong with the links of all pages in a folder; also what is fetched."""
    pages = {path: Read(path) for path in site.rglob("*.html")}
    wrong = []
    for path, page in pages.items():
        if len(page.ids) != len(set(page.ids)):
            wrong.append(f"{path.name}: an id is there twice")
        for tag, address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme == "data" or (tag, parts.scheme) == ("a", "https"):
                continue
            is_canonical = tag == "link" and parts.netloc == "example.org"
            if parts.scheme or parts.netloc:
                wrong += [] if is_canonical else [f"{path.name}: {tag} fetches {address}"]
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                wrong.append(f"{path.name}: nothing is at {address}")
            elif parts.fragment and unquote(parts.fragment) not in pages[target].ids:
                wrong.append(f"{path.name}: no anchor for {address}")
    return wrong
