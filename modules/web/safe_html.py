"""HTML that somebody else wrote, with only that left of it which forms text."""

import html
from html.parser import HTMLParser

__all__ = ["safe_html"]

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
WORDS = ("a", "b", "strong", "i", "em", "u", "s", "small", "sub", "sup", "code")
BLOCKS = ("p", "br", "hr", "pre", "blockquote", "ul", "ol", "li")
FORMING = frozenset({*HEADINGS, *WORDS, *BLOCKS})
EMPTY = frozenset({"br", "hr"})
UNSEEN = frozenset({"script", "style", "template", "title", "textarea", "noscript", "iframe", "svg", "math"})
"""What is inside these is no text for a reader."""
LINKS = ("http://", "https://")


def safe_html(text: str) -> str:
    """`text` with the tags that form text, without their attributes but for addresses of links; everything is
    closed that was opened, so that it cannot leave its place.
    """
    cleaner = _Cleaner()
    cleaner.feed(text)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._unseen: list[str] = []

    def result(self) -> str:
        return "".join(self._parts) + "".join(f"</{tag}>" for tag in reversed(self._open))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSEEN:
            self._unseen.append(tag)
        if self._unseen or tag not in FORMING:
            return
        self._parts.append(f"<{tag}{_link(dict(attrs)) if tag == 'a' else ''}>")
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag == self._unseen[-1]:
                self._unseen.pop()
            return
        if tag not in self._open:
            return
        while (closed := self._open.pop()) != tag:
            self._parts.append(f"</{closed}>")
        self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._parts.append(html.escape(data))


def _link(attributes: dict[str, str | None]) -> str:
    address = (attributes.get("href") or "").strip()
    if not address.lower().startswith(LINKS):
        return ""
    return f' href="{html.escape(address)}" target="_blank" rel="noopener noreferrer nofollow"'
