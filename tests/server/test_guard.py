"""Who may ask: the token, hosts, origins, sessions; and what a browser may do with the answers."""

import base64
import hashlib
import re

import pytest
from prose import passages as prose_of
from starlette.datastructures import Headers

from benchmarks.serving import Served
from ghostbuster.server.intake.documents import shown_name
from ghostbuster.server.intake.guard import Access, host_name

TOKEN = "0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HTML = {"Accept": "text/html,*/*;q=0.8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEXT = prose_of(1, 60)[0]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST:8765", "localhost"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]:8765", "::1"),
        ("[::1]", "::1"),
        ("evil.example:8765", "evil.example"),
        ("", ""),
    ],
)
def test_the_name_of_a_host_header_is_without_port_and_brackets(header, name):
    assert host_name(header) == name


def test_names_must_be_known_and_addresses_only_where_others_can_come():
    local, wide = Access(frozenset({"localhost"})), Access(frozenset({"localhost"}), any_address=True)
    assert local.knows_host("localhost:1")
    assert not local.knows_host("192.0.2.7")
    assert wide.knows_host("192.0.2.7:8765")
    assert wide.knows_host("[2001:db8::1]:8765")
    assert not wide.knows_host("192.0.2.7.evil.example")
    assert not wide.knows_host("localhost.evil.example")


@pytest.mark.parametrize("given", ["", "0" * 32, TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "\udc80"])
def test_only_the_token_is_the_token(given):
    assert not Access(frozenset(), token=TOKEN).is_token(given)
    assert Access(frozenset(), token=TOKEN).is_token(TOKEN)
    assert not Access(frozenset()).is_token("")


def test_sessions_are_those_of_this_server_and_end(monkeypatch):
    access, other = Access(frozenset(), token=TOKEN), Access(frozenset(), token=TOKEN)
    cookie = Headers({"cookie": f"a=b; ghostbuster={access.new_session()}"})
    assert access.allows(cookie)
    assert not other.allows(cookie)
    until, _, signature = access.new_session().partition(".")
    later = Headers({"cookie": f"ghostbuster={int(until) + 1}.{signature}"})
    assert not access.allows(later)
    monkeypatch.setattr("time.monotonic", lambda: int(until) + 1.0)
    assert not access.allows(cookie)


@pytest.mark.parametrize(
    "cookie",
    ["ghostbuster=", "ghostbuster=1", "ghostbuster=.", "ghostbuster=9e9.x", "=;;=", "ghostbuster=²."],
)
def test_cookies_that_are_none_are_no_sessions(cookie):
    assert not Access(frozenset(), token=TOKEN).allows(
        Headers(raw=[(b"cookie", cookie.encode("latin-1", "replace"))])
    )


def test_a_bad_token_is_not_made_good_by_a_session():
    access = Access(frozenset(), token=TOKEN)
    head = {"cookie": f"ghostbuster={access.new_session()}", "authorization": "Bearer wrong"}
    assert not access.allows(Headers(head))


def test_programs_give_the_token_in_a_header(guarded):
    assert guarded.post_json({"text": TEXT}, BEARER).status == 200
    refused = guarded.post_json({"text": TEXT})
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer realm="ghostbuster"')
    assert guarded.post_json({"text": TEXT}, {"Authorization": f"Basic {TOKEN}"}).status == 401
    for path in ("/openapi.json", "/v1/detector"):
        assert guarded.request("GET", path).status == 401


def test_people_log_in_once_and_log_out(guarded):
    first = guarded.request("GET", "/", headers=HTML)
    assert (first.status, first.headers["location"]) == (303, "/login")
    shown = guarded.request("GET", "/login", headers=HTML)
    assert shown.status == 200
    assert b"small@" not in shown.body  # nothing of the detector that the server has
    wrong = guarded.request("POST", "/login", "token=nonsense", FORM)
    assert wrong.status == 401
    assert "set-cookie" not in wrong.headers
    right = guarded.request("POST", "/login", f"token={TOKEN}", FORM)
    assert right.status == 303
    kept = right.headers["set-cookie"]
    for word in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert word.lower() in kept.lower()
    assert TOKEN not in kept
    cookie = {"Cookie": kept.partition(";")[0], **HTML}
    assert guarded.request("GET", "/", headers=cookie).status == 200
    gone = guarded.request("POST", "/logout", "", cookie)
    assert 'ghostbuster=""' in gone.headers["set-cookie"]


def test_a_cookie_is_secure_behind_a_proxy_that_speaks_https(guarded):
    answer = guarded.request("POST", "/login", f"token={TOKEN}", {**FORM, "X-Forwarded-Proto": "https"})
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("texts.school.example", "https://texts.school.example", 200),
        ("TEXTS.school.example", "https://texts.SCHOOL.example", 200),
        ("texts.school.example", "https://evil.example", 403),
        ("texts.school.example", "https://texts.school.example.evil.example", 403),
        ("texts.school.example", "null", 403),
        ("texts.school.example", "", 403),
        ("evil.example", "https://evil.example", 400),
    ],
)
def test_a_proxys_name_is_known_and_its_own_pages_may_post(guarded, host, origin, status):
    headers = {**BEARER, "Host": host, "Origin": origin}
    assert guarded.post_json({"text": TEXT}, headers).status == status


def test_no_answer_lets_another_site_read_it(server):
    answer = server.request("OPTIONS", "/v1/verdicts", headers={"Origin": "http://evil.example"})
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert not any(name.startswith("access-control") for name in server.post_json({"text": TEXT}).headers)


@pytest.mark.parametrize("path", ["/", "/login", "/v1/detector", "/static/page.js", "/nothing"])
def test_every_answer_says_what_a_browser_may_do_with_it(server, path):
    headers = server.request("GET", path).headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_pages_hold_no_script_and_no_style_but_those_of_the_policy(server):
    answer = server.request("GET", "/")
    page = answer.body.decode()
    scripts = re.findall(r"<script[^>]*>([^<]*)</script>", page)
    assert scripts == [""]
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_nothing_of_a_text_is_logged(detector_file):
    with Served("--model", detector_file) as one:
        one.post_json({"text": f"Zanzibar {TEXT}"})
        one.request("POST", "/v1/verdicts", b"\xff Zanzibar", {"Content-Type": "text/plain"})
        one.request("GET", "/Zanzibar")
        code, said = one.stop()
    assert (code, said) == (0, "")
    assert "Zanzibar" not in "\n".join(one.greeting)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\a.docx", "a.docx"),
        ("a\r\nb\u202e.txt", "a\\r\\nb\\u202e.txt"),
        ("\udcff.txt", "\\udcff.txt"),
        ("", "without a name"),
        ("..", ".."),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
    ],
)
def test_the_name_of_a_file_is_its_last_part_and_steers_nothing(name, shown):
    assert shown_name(name) == shown
