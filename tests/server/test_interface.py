"""The interface for programs: every form of a body, and what is answered to what does not fit."""

import io
import json
import socket
import zipfile

import pytest
from office_files import par, word_bytes
from prose import passages as prose_of

from benchmarks.serving import multipart
from ghostbuster.cli import main

NDJSON = {"Content-Type": "application/x-ndjson"}
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
TEXTS = prose_of(3, 60)


@pytest.fixture(scope="module")
def expected(detector_file, tmp_path_factory):
    """What the command line says of the same texts."""
    import contextlib

    folder = tmp_path_factory.mktemp("texts")
    names = [folder / f"{i}.txt" for i in range(len(TEXTS))]
    for name, text in zip(names, TEXTS, strict=True):
        name.write_text(text, "utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["score-file", *map(str, names), "-m", str(detector_file), "-f", "json", "-q"]) == 0
    return [{**row, "path": str(i)} for i, row in enumerate(json.loads(out.getvalue()))]


def test_one_text_gets_the_object_that_score_file_prints(server, expected):
    answer = server.post_json({"text": TEXTS[0], "path": "0"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == expected[0]


def test_many_texts_get_an_array_in_their_order(server, expected):
    texts = [{"text": text, "path": str(i)} for i, text in enumerate(TEXTS)]
    assert server.post_json({"texts": texts}).json() == expected
    assert [row["path"] for row in server.post_json({"texts": TEXTS}).json()] == ["-"] * len(TEXTS)


def test_plain_text_is_one_text_and_options_stand_in_the_address(server, expected):
    answer = server.request("POST", "/v1/verdicts?path=0&max_fpr=0.05", TEXTS[0], PLAIN)
    assert answer.status == 200
    assert answer.json()["probability"] == expected[0]["probability"]
    assert server.request("POST", "/v1/verdicts?path=0", TEXTS[0], PLAIN).json() == expected[0]


def test_lines_are_answered_each_with_its_number(server, expected):
    lines = [json.dumps({"text": text, "path": str(i)}) for i, text in enumerate(TEXTS)]
    lines.insert(1, '{"text": 3}')
    answer = server.request("POST", "/v1/verdicts", "\n".join(lines), NDJSON)
    rows = [json.loads(line) for line in answer.body.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [row["line"] for row in rows] == [1, 2, 3, 4]
    assert rows[1]["error"]["status"] == 422
    assert [{k: v for k, v in row.items() if k != "line"} for row in (rows[0], *rows[2:])] == expected


def test_a_line_is_answered_before_the_next_is_sent(server):
    """A stream is a conversation: nothing waits for its end."""
    with server.connect() as one:
        one.sendall(
            f"POST /v1/verdicts HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: application/x-ndjson\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        seen = b""
        for number, text in enumerate(TEXTS, start=1):
            line = json.dumps(text).encode() + b"\n"
            one.sendall(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            while f'{{"line": {number},'.encode() not in seen:
                seen += one.recv(65536)
        one.sendall(b"0\r\n\r\n")


def test_documents_get_an_array_and_one_that_cannot_be_read_says_why(server, expected):
    damaged, song = b"PK\x03\x04 damaged", b"ID3\x04\x00\x00\x00"
    files = [("0.txt", TEXTS[0].encode()), ("bad.docx", damaged), ("song.mp3", song)]
    body, head = multipart({"max_fpr": "0.01"}, files)
    rows = server.request("POST", "/v1/verdicts", body, head).json()
    assert rows[0] == {**expected[0], "path": "0.txt"}
    assert [row["path"] for row in rows] == ["0.txt", "bad.docx", "song.mp3"]
    assert "bad.docx" in rows[1]["error"]["culprit"]
    assert "song.mp3" in rows[2]["error"]["culprit"]


def test_of_a_document_its_prose_is_judged_or_with_whole_all_of_it(server):
    text = f"{TEXTS[0]}\n\n" + "\n".join(f"> {word} was quoted here." for word in "abcdefghij")
    rows = {}
    for whole in ("no", "yes"):
        body, head = multipart({"whole": whole}, [("a.txt", text.encode())])
        (rows[whole],) = server.request("POST", "/v1/verdicts", body, head).json()
    assert rows["yes"]["n_words"] > rows["no"]["n_words"] == len(TEXTS[0].split())
    assert any("quotations" in reason for reason in rows["no"]["reasons"])
    assert {part["part"] for part in rows["no"]["parts"]} == {"prose", "quotations"}
    body, head = multipart({"whole": "perhaps"}, [("a.txt", text.encode())])
    assert server.request("POST", "/v1/verdicts", body, head).status == 422


def test_words_that_a_document_hides_are_named_in_its_verdict(server):
    hidden = par("six words that nobody ever sees", "", "<w:vanish/>")
    body, head = multipart({}, [("a.docx", word_bytes(par(TEXTS[0]) + hidden))])
    (row,) = server.request("POST", "/v1/verdicts", body, head).json()
    assert "suspicious: 6 hidden words were left out; honest documents have none" in row["reasons"]
    assert row["parts"][-1] == {"part": "hidden", "n_words": 6, "read": False}


def test_an_empty_text_is_unsure(server):
    row = server.post_json({"text": " \n"}).json()
    assert (row["label"], row["probability"], row["n_words"]) == ("unsure", None, 0)


def test_halves_of_characters_and_null_bytes_are_answered(server):
    row = server.post_json({"text": f"\ud800 \u0000 {TEXTS[0]}", "path": "\udfff"}).json()
    assert row["path"] == "\\udfff" or row["path"] == "\udfff"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "JSON"),
        (b"[" * 100_000, 400, "levels"),
        (b'{"text": "\xff"}', 400, "UTF-8"),
        (b"[]", 422, "an object"),
        (b"{}", 422, "either `text` or `texts`"),
        (b'{"text": "a", "texts": []}', 422, "either `text` or `texts`"),
        (b'{"text": 1}', 422, "a string"),
        (b'{"text": null}', 422, "a string"),
        (b'{"text": "a", "path": 3}', 422, "path"),
        (b'{"text": "a", "register": 3}', 422, "register: expected a string"),
        (b'{"text": "a", "register": "poem"}', 422, "register 'poem'"),
        (b'{"text": "a", "detector": "other"}', 422, "detector 'other'"),
        (b'{"text": "a", "max_fpr": 0.5}', 422, "give one of 0.05, 0.01"),
        (b'{"text": "a", "max_fpr": NaN}', 422, "give one of"),
        (b'{"text": "a", "max_fpr": "much"}', 422, "a number"),
        (b'{"text": "a", "max_fpr": true}', 422, "a number"),
        (b'{"text": "a", "pth": "b"}', 422, "did you mean 'path'"),
        (b'{"texts": "a"}', 422, "an array"),
        (b'{"texts": []}', 422, "one text or more"),
        (b'{"texts": ["a", 1]}', 422, "texts[1]"),
        (b'{"texts": [{"text": "a"}, {"text": "b", "max_fpr": 1}]}', 422, "texts[1]"),
        (json.dumps({"texts": ["a"] * 1001}).encode(), 413, "1,001 texts"),
        (json.dumps({"text": "a" * 1_000_001}).encode(), 413, "1,000,001 characters"),
    ],
)
def test_a_body_that_does_not_fit_is_a_problem_with_culprit_expectation_and_remedy(
    server, body, status, words
):
    answer = server.request("POST", "/v1/verdicts", body, {"Content-Type": "application/json"})
    problem = answer.json()
    assert answer.status == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in problem["detail"]
    assert all(problem[name] for name in ("type", "title", "culprit", "expectation", "remedy"))


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/v1/verdicts", {"Content-Type": "application/xml"}, 415),
        ("POST", "/v1/verdicts", {}, 415),
        ("POST", "/v1/verdicts", {**PLAIN, "Content-Encoding": "gzip"}, 415),
        ("POST", "/v1/verdicts", {"Content-Type": "multipart/form-data"}, 400),
        ("POST", "/v1/verdicts?text=a", PLAIN, 422),
        ("POST", "/v1/verdicts?register=poem", PLAIN, 422),
        ("GET", "/v1/verdicts", {}, 405),
        ("GET", "/v1/detector?detector=other", {}, 422),
        ("GET", "/v1/nothing", {}, 404),
    ],
)
def test_other_requests_that_do_not_fit_are_problems_too(server, method, path, headers, status):
    answer = server.request(method, path, b"x" if method == "POST" else None, headers)
    assert answer.status == answer.json()["status"] == status


def test_bytes_that_are_no_text_are_refused(server):
    answer = server.request("POST", "/v1/verdicts", bytes(range(128, 256)) * 10, PLAIN)
    assert (answer.status, answer.json()["expectation"]) == (400, "text in UTF-8")


def test_the_detector_is_what_info_prints_but_for_paths_of_the_server(server, detector_file, capsys):
    assert main(["info", str(detector_file), "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    said = server.request("GET", "/v1/detector").json()
    assert said.pop("name") == detector_file.stem
    assert said.pop("detectors") == [detector_file.stem]
    assert said == {**printed, "artifact": detector_file.name}
    assert str(detector_file.parent) not in json.dumps(said)


def test_health_needs_nothing_and_says_ok(guarded):
    assert guarded.request("GET", "/healthz").json() == {"status": "ok"}


def test_a_client_that_goes_away_is_no_trouble(server):
    body = json.dumps({"texts": prose_of(20, 200)}).encode()
    with server.connect() as one:
        one.sendall(
            f"POST /v1/verdicts HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        one.shutdown(socket.SHUT_RDWR)
    assert server.post_json({"text": TEXTS[0]}).status == 200


def bomb(n_bytes):
    """A Word document that unpacks to so many bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * n_bytes)
    return out.getvalue()


def test_a_document_that_unpacks_to_too_much_is_refused_and_the_next_is_read(server):
    body, head = multipart({}, [("bomb.docx", bomb(300 * 2**20)), ("good.txt", TEXTS[0].encode())])
    rows = server.request("POST", "/v1/verdicts", body, head).json()
    assert "bomb.docx" in rows[0]["error"]["culprit"]
    assert rows[1]["label"] in {"human", "machine", "unsure"}
