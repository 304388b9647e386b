"""The outline of a page: what a browser would load, its ids and links, and what stays open."""

from html.parser import HTMLParser

VOID = ("meta", "br", "link", "input")


class Outline(HTMLParser):
    """The files that a browser would load, the ids and links of a page, and the elements that stay open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.loads, self.ids, self.links = list[str](), list[str](), list[str](), list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        said = dict(attrs)
        self.loads += [said[name] or "" for name in said if name == "src" or name.startswith("on")]
        self.loads += [said["href"] or ""] if tag == "link" else []
        self.ids += [said["id"] or ""] if "id" in said else []
        self.links += [said["href"] or ""] if tag == "a" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
