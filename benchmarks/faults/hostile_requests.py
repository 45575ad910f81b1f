"""Try on a server what strangers and pages of other sites may send; write down what it answers.

    python benchmarks/faults/hostile_requests.py     # four minutes; writes docs/reliability/requests.md

Everything goes to servers that this script starts on this computer, and is bounded in number and time. After
each attempt a plain request must be answered as before.
"""

from __future__ import annotations

import io
import json
import secrets
import socket
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.serving import Answer, Served, multipart  # noqa: E402

PAGE = ROOT / "docs" / "reliability" / "requests.md"
TEXT = (ROOT / "examples" / "machine.txt").read_text("utf-8")
PLAIN = {"Content-Type": "text/plain"}
GIGABYTE = 10**9
N_OPEN = 200


class Servers(NamedTuple):
    """One on loopback without a token, one that asks for it."""

    plain: Served
    guarded: Served
    token: str


class Attempt(NamedTuple):
    """What is tried, what it is answered with, and how that begins if all is well."""

    name: str
    run: Callable[[Servers], str]
    expected: str


def said(answer: Answer) -> str:
    """Status and culprit of an answer."""
    if "problem+json" in answer.headers.get("content-type", ""):
        problem = answer.json()
        return f"{answer.status}: {problem['culprit']}"
    where = f" to {answer.headers['location']}" if "location" in answer.headers else ""
    return f"{answer.status}{where}"


def posted(headers: dict[str, str], path: str = "/v1/verdicts", body: str = TEXT) -> Callable[[Servers], str]:
    """A text posted with headers."""
    return lambda servers: said(servers.plain.request("POST", path, body, {**PLAIN, **headers}))


def with_token(headers: dict[str, str], path: str = "/v1/verdicts") -> Callable[[Servers], str]:
    """A text posted to the server that asks for a token."""
    return lambda servers: said(servers.guarded.request("POST", path, TEXT, {**PLAIN, **headers}))


def raw(data: bytes, *, more: Callable[[socket.socket], None] | None = None) -> Callable[[Servers], str]:
    """Bytes on a bare connection, and the first line of what comes back."""

    def run(servers: Servers) -> str:
        started = time.monotonic()
        with servers.plain.connect(150) as one:
            with suppress(OSError):
                one.sendall(data.replace(b"HOST", f"{servers.plain.host}:{servers.plain.port}".encode()))
                if more is not None:
                    more(one)
            return first_line(one, started)

    return run


def first_line(one: socket.socket, started: float) -> str:
    """Status line, culprit, or that the connection was closed."""
    found = b""
    with suppress(OSError):
        while part := one.recv(65_536):
            found += part
            if b"culprit" in found and found.rstrip().endswith(b"}"):
                break
    if not found:
        return f"closed after {time.monotonic() - started:.0f} s"
    status = found.split(b" ", 2)[1].decode()
    _, _, body = found.partition(b"\r\n\r\n")
    start = body.find(b"{")
    with suppress(ValueError):
        return f"{status}: {json.JSONDecoder().raw_decode(body[start:].decode())[0]['culprit']}"
    return status


def form(name: str, data: bytes) -> Callable[[Servers], str]:
    """A file uploaded to the interface: what became of it."""

    def run(servers: Servers) -> str:
        body, head = multipart({}, [(name, data)])
        answer = servers.plain.request("POST", "/v1/verdicts", body, head)
        if answer.status != 200:
            return said(answer)
        (row,) = answer.json()
        shown = f"called {row['path']!r}" if "label" in row else row["error"]["culprit"]
        return f"200: {shown}"

    return run


def on_the_page(name: str, text: str, forbidden: str) -> Callable[[Servers], str]:
    """A file given to the page: whether its words are markup on the table, in the report, in what is kept."""

    def run(servers: Servers) -> str:
        body, head = multipart({}, [(name, text.encode()), ("other.txt", TEXT.encode())])
        here = servers.plain.request("POST", "/jobs", body, head).headers["location"]
        until = time.monotonic() + 60
        while json.loads(servers.plain.request("GET", f"{here}/progress").body)["state"] == "working":
            if time.monotonic() > until:
                return "not done after a minute"
            time.sleep(0.2)
        places = {"table": here, "report": f"{here}/texts/1", "page to keep": f"{here}/verdicts.html"}
        bad = [
            place
            for place, address in places.items()
            if forbidden.encode() in servers.plain.request("GET", address).body
        ]
        return (
            f"markup in {', '.join(bad)}"
            if bad
            else "shown as text in the table, the report and what is kept"
        )

    return run


def formula(servers: Servers) -> str:
    """A file named like a formula, in the table that a spreadsheet opens."""
    body, head = multipart({}, [("=HYPERLINK(A1).txt", TEXT.encode()), ("b.txt", TEXT.encode())])
    here = servers.plain.request("POST", "/jobs", body, head).headers["location"]
    time.sleep(2)
    line = servers.plain.request("GET", f"{here}/verdicts.csv").body.decode("utf-8-sig").splitlines()[1]
    return f"a cell of text: {line.partition('.txt')[0]}"


def document(xml: bytes) -> bytes:
    """A Word file with that as its main part."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATIONS)
        archive.writestr("word/document.xml", xml)
    return out.getvalue()


CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
    'PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
LAUGHS = b"<!DOCTYPE x [<!ENTITY a0 'ha'>" + b"".join(
    f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>".encode() for i in range(1, 10)
)
ENTITIES = (
    LAUGHS
    + b']><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p>'
    b"<w:r><w:t>&a9;</w:t></w:r></w:p></w:body></w:document>"
)


def head(*lines: str, method: str = "POST", path: str = "/v1/verdicts") -> bytes:
    """The head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: HOST", *lines, "", ""]).encode()


def endless(one: socket.socket) -> None:
    """A gigabyte in chunks, or as much of it as is taken."""
    piece = b"x" * 2**20
    for _ in range(GIGABYTE // len(piece)):
        one.sendall(b"100000\r\n" + piece + b"\r\n")


def trickle(one: socket.socket) -> None:
    """A byte now and then, for as long as it is taken."""
    one.settimeout(0.5)
    for _ in range(400):
        one.sendall(b"x")
        with suppress(TimeoutError):
            if not one.recv(1, socket.MSG_PEEK):
                return
            return
    one.settimeout(150)


def stream(servers: Servers) -> str:
    """Lines without end, on one connection: memory before and after."""
    line = json.dumps({"text": TEXT[:600]}).encode() + b"\n"
    before, answered = servers.plain.memory(), 0
    with servers.plain.connect() as one:
        one.sendall(
            head("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked").replace(
                b"HOST", b"127.0.0.1"
            )
        )
        one.settimeout(0.05)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with suppress(TimeoutError):
                one.sendall(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            with suppress(TimeoutError):
                answered += one.recv(2**20).count(b'{"line"')
    grown = (servers.plain.memory() - before) / 1e6
    return (
        f"answered line by line ({answered:,} in 10 s), memory {grown:+.0f} MB"
        if answered > 10
        else "not answered"
    )


def held_open(servers: Servers) -> str:
    """Many connections that send half a head; another client meanwhile."""
    with ExitStack() as stack:
        many = [stack.enter_context(servers.plain.connect()) for _ in range(N_OPEN)]
        for one in many:
            one.sendall(b"POST /v1/verdicts HTTP/1.1\r\nHost: ")
        status = servers.plain.request("POST", "/v1/verdicts", TEXT, PLAIN).status
        started = time.monotonic()
        for one in many:
            with suppress(OSError):
                one.recv(1)
        return f"another client got {status} meanwhile; all closed after {time.monotonic() - started:.0f} s"


def many_files(servers: Servers) -> str:
    """More files than a form may hold."""
    body, headers = multipart({}, [(f"{i}.txt", b"x") for i in range(1_100)])
    return said(servers.plain.request("POST", "/jobs", body, headers))


def no_token_on_the_page(servers: Servers) -> str:
    """A browser without the token."""
    return said(servers.guarded.request("GET", "/", headers={"Accept": "text/html"}))


def address_of(name: str) -> str:
    """Another site's origin."""
    return f"http://{name}"


ATTEMPTS: tuple[Attempt, ...] = (
    Attempt(
        "another `Host` (a name that was pointed at this computer)",
        posted({"Host": "evil.example:8765"}),
        "400",
    ),
    Attempt("no `Host`", raw(b"GET / HTTP/1.1\r\n\r\n"), "400"),
    Attempt("two `Host` headers", raw(head("Host: evil.example", method="GET", path="/")), "400"),
    Attempt(
        "another `Origin` (a page of another site posts a text)",
        posted({"Origin": "http://evil.example"}),
        "403",
    ),
    Attempt("`Origin: null` (a sandboxed frame)", posted({"Origin": "null"}), "403"),
    Attempt("`Sec-Fetch-Site: cross-site`", posted({"Sec-Fetch-Site": "cross-site"}), "403"),
    Attempt("no token", with_token({}), "401"),
    Attempt("a wrong token", with_token({"Authorization": "Bearer " + "0" * 64}), "401"),
    Attempt("the token in the address", lambda s: with_token({}, f"/v1/verdicts?token={s.token}")(s), "401"),
    Attempt("an invented session", with_token({"Cookie": "ghostbuster=9999999999." + "0" * 64}), "401"),
    Attempt("a browser without the token", no_token_on_the_page, "303 to /login"),
    Attempt(
        "somebody else's results, guessed",
        lambda s: said(s.plain.request("GET", "/jobs/AAAAAAAAAAAAAAAAAAAAAA")),
        "404",
    ),
    Attempt(
        "a path in the name of a file",
        form("../../../etc/passwd.txt", TEXT.encode()),
        "200: called 'passwd.txt'",
    ),
    Attempt("a path in the address", raw(head(method="GET", path="/static/../../../../etc/passwd")), "404"),
    Attempt(
        "`<script>` in a text",
        on_the_page("a.txt", f"<script>alert(1)</script> {TEXT}", "<script>alert"),
        "shown",
    ),
    Attempt(
        "`<script>` in the name of a file",
        on_the_page("<script>alert(1)<b>.txt", TEXT, "<script>alert"),
        "shown",
    ),
    Attempt("a formula in the name of a file", formula, "a cell of text: '="),
    Attempt(
        "a zip bomb (a Word file that unpacks to 1 GB)",
        form("bomb.docx", document(b"0" * GIGABYTE)),
        "200: bomb.docx",
    ),
    Attempt(
        "a bomb of XML entities in a Word file", form("laughs.docx", document(ENTITIES)), "200: laughs.docx"
    ),
    Attempt("1,100 files at once", many_files, "413"),
    Attempt(
        "a body of 1 GB, announced",
        raw(head("Content-Type: text/plain", f"Content-Length: {GIGABYTE}")),
        "413",
    ),
    Attempt(
        "a body of 1 GB, in chunks",
        raw(head("Content-Type: text/plain", "Transfer-Encoding: chunked"), more=endless),
        "413",
    ),
    Attempt("a length that is none", raw(head("Content-Type: text/plain", "Content-Length: -1")), "400"),
    Attempt(
        "two lengths (request smuggling)",
        raw(head("Content-Type: text/plain", "Content-Length: 3", "Content-Length: 30") + b"abc"),
        "400",
    ),
    Attempt("a compressed body", posted({"Content-Encoding": "gzip"}), "415"),
    Attempt(
        "JSON that nests 100,000 deep",
        posted({"Content-Type": "application/json"}, body="[" * 100_000),
        "400",
    ),
    Attempt(
        "10,000 headers", raw(head(*[f"X-{i}: {i}" for i in range(10_000)], method="GET", path="/")), "4"
    ),
    Attempt("a header of 1 MB", raw(head(f"X-A: {'a' * 10**6}", method="GET", path="/")), "4"),
    Attempt(
        "bytes that are no HTTP",
        raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n\r\n"),
        "400",
    ),
    Attempt("another method", raw(head(method="TRACE", path="/v1/detector")), "405"),
    Attempt(
        "half a request, held open",
        raw(b"POST /v1/verdicts HTTP/1.1\r\nHost: HOST\r\nContent-"),
        "closed after",
    ),
    Attempt(f"{N_OPEN} of those at once", held_open, "another client got 200 meanwhile; all closed after"),
    Attempt(
        "a body that stops", raw(head("Content-Type: text/plain", "Content-Length: 100") + b"abc"), "408"
    ),
    Attempt(
        "a body of a byte every half second",
        raw(head("Content-Type: text/plain", "Content-Length: 1000"), more=trickle),
        "408",
    ),
    Attempt("NDJSON that never ends", stream, "answered line by line"),
    Attempt(
        "a line of NDJSON that never ends",
        raw(head("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked"), more=endless),
        "413",
    ),
)


def still_answers(servers: Servers) -> bool:
    """Whether a plain request is answered as ever."""
    answer = servers.plain.request("POST", "/v1/verdicts", TEXT, PLAIN)
    return answer.status == 200 and answer.json()["n_words"] > 300


def tried(attempt: Attempt, servers: Servers) -> tuple[str, bool]:
    """What it was answered with, and whether that and what came after was right."""
    found = attempt.run(servers)
    return found, found.startswith(attempt.expected) and still_answers(servers)


def start(stack: ExitStack, folder: Path, *options: str | Path, **limits: float) -> Servers:
    """Both servers."""
    token = secrets.token_hex(32)
    file = folder / "token"
    file.touch(0o600)
    file.write_text(token)
    plain = stack.enter_context(Served(*options, limits=limits))
    guarded = stack.enter_context(Served(*options, "--token-file", file, limits=limits))
    return Servers(plain, guarded, token)


def main() -> None:
    rows, good = [], True
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = start(stack, folder)
        for attempt in ATTEMPTS:
            found, right = tried(attempt, servers)
            good &= right
            print(f"{'ok ' if right else 'BAD'} {attempt.name}: {found}", flush=True)
            rows.append(f"| {attempt.name} | {found.replace('|', chr(92) + '|')} |")
        for served in servers[:2]:
            code, complaints = served.stop()
            good &= code == 0 and not complaints
            print(f"ended with {code}, standard error: {complaints!r}")
    table = "\n".join(["| tried | answered |", "|---|---|", *rows])
    before, _, rest = PAGE.read_text("utf-8").partition("| tried |")
    after = rest.partition("\n\n")[2]
    PAGE.write_text(f"{before}{table}\n\n{after}".rstrip() + "\n", "utf-8")
    sys.exit(not good)


if __name__ == "__main__":
    main()
