"""The page without a script: forms, redirects, tables, and files to keep; and the report that is the same."""

import csv
import html
import io
import json
import re
import time

import pytest
from prose import passages as prose_of

from benchmarks.serving import Served, multipart
from ghostbuster.cli import main

TEXTS = prose_of(3, 60)
SECONDS = 90


def send(server, fields, files=(), path="/jobs"):
    body, headers = multipart(fields, list(files))
    return server.request("POST", path, body, headers)


def results(server, answer):
    """Where a form led, once everything is judged."""
    assert answer.status == 303, answer.body
    here = "/".join(answer.headers["location"].split("/")[:3])
    until = time.monotonic() + SECONDS
    while server.request("GET", f"{here}/progress").json()["state"] == "working":
        assert time.monotonic() < until
        time.sleep(0.1)
    return here


def get(server, path):
    answer = server.request("GET", path)
    assert answer.status == 200, (answer.status, path)
    return answer.body.decode("utf-8-sig")


def judged(server, n_texts=3, **fields):
    files = [(f"{name}.txt", text.encode()) for name, text in zip("cab", TEXTS[:n_texts], strict=False)]
    return results(server, send(server, fields, files))


def names_in(page):
    return re.findall(r"<bdi>(\w+)\.txt</bdi>", page)


def test_one_text_leads_to_the_report_that_the_command_line_writes(server, detector_file, tmp_path):
    here = results(server, send(server, {"text": TEXTS[0]}))
    answer = server.request("GET", here)
    assert (answer.status, answer.headers["location"]) == (303, f"{here}/texts/1")
    shown = get(server, f"{here}/texts/1")
    path, page = tmp_path / "a.txt", tmp_path / "a.html"
    path.write_text(TEXTS[0], "utf-8")
    assert main(["score-file", str(path), "-m", str(detector_file), "--report", str(page), "-q"]) == 0
    written = page.read_text("utf-8").replace(str(path), "pasted text")
    without_links = re.sub(r'<nav class="links.*?</nav>\n', "", shown, flags=re.DOTALL)
    assert without_links == written
    assert get(server, f"{here}/texts/1?keep=yes") == written


def test_line_breaks_of_a_form_are_paragraphs_and_move_no_verdict(server):
    text = f"{TEXTS[0]}\n\n{TEXTS[1]}"
    here = results(server, send(server, {"text": text.replace("\n", "\r\n")}))
    (row,) = json.loads(get(server, f"{here}/verdicts.json"))
    assert row["probability"] == server.post_json({"text": text}).json()["probability"]


def test_several_documents_get_a_table_whose_rows_open_their_reports(server):
    here = judged(server)
    page = get(server, here)
    assert names_in(page) == ["c", "a", "b"]
    for number in (1, 2, 3):
        assert f'href="{here}/texts/{number}"' in page
        assert "What decided" in get(server, f"{here}/texts/{number}")
    assert server.request("GET", f"{here}/texts/4").status == 404
    assert server.request("GET", f"{here}/texts/0").status == 404


def test_the_table_can_be_sorted_by_each_column_either_way(server):
    here = judged(server)
    by_name = {order: names_in(get(server, f"{here}?sort=name&order={order}")) for order in ("asc", "desc")}
    assert by_name == {"asc": ["a", "b", "c"], "desc": ["c", "b", "a"]}
    rows = json.loads(get(server, f"{here}/verdicts.json"))
    probability = {row["path"][0]: row["probability"] for row in rows}
    falling = names_in(get(server, f"{here}?sort=probability&order=desc"))
    assert falling == sorted(probability, key=lambda name: -probability[name])
    page = get(server, f"{here}?sort=probability&order=desc")
    assert page.count('aria-sort="descending"') == 1
    assert "?sort=probability&amp;order=asc" in page
    assert names_in(get(server, f"{here}?sort=nonsense&order=x")) == ["c", "a", "b"]


def test_a_text_and_documents_are_judged_together_and_what_cannot_be_read_says_why(server):
    files = [
        ("empty.txt", b""),
        ("none.docx", b"PK\x03\x04 damaged"),
        ("../<b>.md", TEXTS[1].encode()),
        ("tune.mp3", b""),
    ]
    here = results(server, send(server, {"text": TEXTS[0]}, files))
    rows = json.loads(get(server, f"{here}/verdicts.json"))
    assert [row["path"] for row in rows] == ["pasted text", "empty.txt", "none.docx", "<b>.md", "tune.mp3"]
    assert ["error" in row for row in rows] == [False, True, True, False, True]
    page = get(server, here)
    assert "<b>.md" not in page
    assert "&lt;b&gt;.md" in page
    assert page.count("not read") == 3
    assert "document.docx" not in page  # what the file was called while it was read
    assert "/dev/shm" not in page
    whole = get(server, f"{here}/verdicts.html")
    assert "Verdicts on 2 texts" in whole
    assert "none.docx" in whole.partition("<h2>Not read</h2>")[2]


def test_results_are_kept_as_csv_json_and_one_page(server):
    here = judged(server)
    answer = server.request("GET", f"{here}/verdicts.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="ghostbuster-verdicts.csv"'
    table = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    rows = json.loads(get(server, f"{here}/verdicts.json"))
    assert [row["path"] for row in table] == [row["path"] for row in rows] == ["c.txt", "a.txt", "b.txt"]
    assert [float(row["probability"]) for row in table] == [row["probability"] for row in rows]
    assert {row["error"] for row in table} == {""}
    assert get(server, f"{here}/verdicts.html").count("<article") == 3
    assert server.request("GET", f"{here}/verdicts.exe").status == 404


def test_nothing_given_is_said_on_the_form(server):
    answer = send(server, {"text": " \r\n"}, [("", b"")])
    assert answer.status == 422
    assert "nothing was given" in answer.body.decode()


def test_a_form_that_did_not_work_keeps_what_was_written(server):
    answer = send(server, {"text": "My <own> words", "max_fpr": "0.3"})
    page = answer.body.decode()
    assert answer.status == 422
    assert "max_fpr 0.3" in page
    assert "My &lt;own&gt; words</textarea>" in page


def test_the_form_shows_every_promise_of_the_detector():
    with Served("--model", "lite") as one:
        facts = one.request("GET", "/v1/detector").json()
        page = get(one, "/")
        registers = re.findall(
            r'<option value="(\w+)"', page.partition('id="register"')[2].partition("</select>")[0]
        )
        assert registers == list(facts["register_thresholds"])
        table = page.partition("<caption>")[2] or page.partition('aria-label="Promises"')[2]
        n_promises = len(facts["thresholds"]) + sum(map(len, facts["register_thresholds"].values()))
        assert table.partition("</tbody>")[0].count('<tr><th scope="row">') == n_promises
        answers = {
            (register, rate): one.post_json({"text": EXAMPLE, "register": register, "max_fpr": rate}).json()[
                "reasons"
            ]
            for register, rate in [(None, 0.05), (None, 0.01), ("essay", 0.01)]
        }
        for (register, rate), (reason, *_) in answers.items():
            known = facts["register_thresholds"][register] if register else facts["thresholds"]
            (threshold,) = [each for each in known if each["rate"] == rate]
            of_lengths = [threshold, *threshold.get("bands", [])]
            assert any(f"{each['probability']:.3f}" in reason for each in of_lengths)
            assert (f"register {register!r}" in reason) is bool(register)
        here = results(one, send(one, {"text": EXAMPLE, "register": "essay", "max_fpr": "0.05"}))
        (essay,) = [each for each in facts["register_thresholds"]["essay"] if each["rate"] == 0.05]
        assert f"machine-written from {essay['probability']:.3f} on" in get(one, f"{here}/texts/1")


EXAMPLE = " ".join(prose_of(1, 300)[0].split())


def test_several_detectors_are_offered_and_each_judges(detector_file):
    with Served("--model", detector_file, "--model", "lite") as one:
        page = get(one, "/")
        assert re.findall(r'href="/\?detector=(\w+)"', page) == [detector_file.stem, "lite"]
        assert 'name="detector" value="lite"' in get(one, "/?detector=lite")
        here = results(one, send(one, {"text": EXAMPLE, "detector": "lite"}))
        (row,) = json.loads(get(one, f"{here}/verdicts.json"))
        assert row["model"].startswith("lite@")
        both = (
            one.post_json({"text": EXAMPLE}).json(),
            one.post_json({"text": EXAMPLE, "detector": "lite"}).json(),
        )
        assert [row["model"].partition("@")[0] for row in both] == [detector_file.stem, "lite"]
        assert one.request("GET", "/v1/detector?detector=lite").json()["name"] == "lite"


def test_progress_is_told_without_a_script_and_cancel_keeps_what_is_judged(server):
    files = [(f"{i}.txt", text.encode()) for i, text in enumerate(prose_of(60, 400))]
    answer = send(server, {}, files)
    here = answer.headers["location"]
    page = get(server, here)
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert re.search(r"\d+ of 60 texts", page)
    until = time.monotonic() + SECONDS
    while "left" not in (said := server.request("GET", f"{here}/progress").json())["says"]:
        assert said["state"] == "working"
        assert time.monotonic() < until
        time.sleep(0.05)
    cancelled = server.request("POST", f"{here}/cancel")
    assert (cancelled.status, cancelled.headers["location"]) == (303, here)
    page = get(server, here)
    assert "Cancelled" in page
    n_done = int(re.search(r"(\d+) of 60 texts were judged", page)[1])
    assert n_done < 60
    assert len(json.loads(get(server, f"{here}/verdicts.json"))) == n_done
    assert server.post_json({"text": TEXTS[0]}).status == 200


def test_what_is_forgotten_is_gone(server):
    here = judged(server, 1)
    assert server.request("POST", f"{here}/forget").headers["location"] == "/"
    for path in (here, f"{here}/texts/1", f"{here}/verdicts.json", f"{here}/progress"):
        assert server.request("GET", path).status == 404


def test_results_make_room_for_later_ones(detector_file):
    with Served("--model", detector_file, limits={"jobs": 2}) as one:
        kept = [judged(one, 1) for _ in range(3)]
        found = [one.request("GET", here).status for here in kept]
        assert found == [404, 303, 303]


def test_results_are_forgotten_after_a_time(detector_file):
    with Served("--model", detector_file, limits={"job_seconds": 4.0}) as one:
        here = judged(one, 1)
        time.sleep(5)
        assert one.request("GET", here).status == 404


def test_reports_of_too_many_long_texts_are_not_kept_and_that_is_said(detector_file):
    with Served("--model", detector_file, limits={"job_bytes": 12_000}) as one:
        files = [(f"{i}.txt", text.encode()) for i, text in enumerate(prose_of(4, 300))]
        here = results(one, send(one, {}, files))
        page = get(one, here)
        assert len(json.loads(get(one, f"{here}/verdicts.json"))) == 4
        assert 0 < page.count("/texts/") < 4
        assert "its report was not kept" in html.unescape(get(one, f"{here}/verdicts.html"))


def test_too_long_a_text_is_refused_by_name(server):
    answer = send(server, {"text": "a " * 600_000})
    assert answer.status == 413
    assert "1,200,000 characters" in answer.body.decode()
    here = results(server, send(server, {}, [("long.txt", b"a " * 600_000), ("b.txt", TEXTS[0].encode())]))
    rows = json.loads(get(server, f"{here}/verdicts.json"))
    assert "long.txt has 1,199,999 characters" in rows[0]["error"]
    assert rows[1]["label"]


def test_a_page_that_is_not_there_is_a_page_for_people_and_a_problem_for_programs(server):
    people = server.request("GET", "/jobs/none", headers={"Accept": "text/html"})
    programs = server.request("GET", "/jobs/none")
    assert people.status == programs.status == 404
    assert b"<h1>That did not work</h1>" in people.body
    assert programs.json()["culprit"] == "these results"


@pytest.mark.parametrize("path", ["/jobs", "/jobs/x/cancel", "/jobs/x/forget", "/logout", "/login"])
def test_pages_of_other_sites_can_start_nothing(server, path):
    answer = server.request("POST", path, b"", {"Origin": "http://evil.example"})
    assert answer.status == 403
