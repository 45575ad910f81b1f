"""Parse HTML pages: elements, attributes, the text of each token."""

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Elements, their attributes, and the text inside each token."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.tokens, self.text = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "i":
            self.tokens.append("")

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:  # td and tr need no end
            pass

    def handle_data(self, data):
        if self.open and self.open[-1] == "i":
            self.tokens[-1] += data
        self.text.append(data)

    def tags(self):
        return {tag for tag, _ in self.elements}
