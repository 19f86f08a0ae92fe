"""The inbox's page as a user reads it."""

import html.parser


class Page(html.parser.HTMLParser):
    """Parses the page: the rows of each table, as dicts keyed by the table's header, the form's fields, the error messages beside
    them, and the alert."""

    def __init__(self, response):
        super().__init__()
        self.status = response.status_code
        self.tables = {"Incoming": [], "Outgoing": []}
        self.fields = {}
        self.alert = None
        self.messages = {}
        self._text = []
        self.feed(response.text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in ("caption", "th", "td", "p"):
            self._text = []
            self._p = attributes
        elif tag == "table":
            self._header = None
        elif tag == "tr":
            self._cells, self._link = [], None
        elif tag == "a":
            self._link = attributes["href"]
        elif tag == "input":
            self.fields[attributes["name"]] = attributes

    def handle_data(self, data):
        self._text.append(data)

    def handle_endtag(self, tag):
        text = " ".join("".join(self._text).split())
        if tag == "caption":
            self._caption = text
        elif tag in ("th", "td"):
            self._cells.append(text)
        elif tag == "tr" and self._header is None:
            self._header = self._cells
        elif tag == "tr":
            row = dict(zip(self._header, self._cells))
            # The first cell contains the number of the other end, and below it the time.
            number, row["time"] = self._cells[0].split(maxsplit=1)
            self.tables[self._caption].append({**row, self._header[0]: number, "link": self._link})
        elif tag == "p" and self._p.get("role") == "alert":
            self.alert = text
        elif tag == "p" and self._p.get("id", "").endswith("-error"):
            self.messages[self._p["id"][: -len("-error")]] = text
