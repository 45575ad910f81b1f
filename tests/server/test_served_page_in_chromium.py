"""The page in a real browser: paste, drop, sort, open, keep, cancel, reload; no JavaScript; every reader.

Skipped where Chromium, its driver or selenium is missing. The accessibility check also needs axe-core:
``npm install axe-core`` in the root of the project, or its ``axe.min.js`` named by ``AXE_CORE``.
"""

import json
import os
import time
from pathlib import Path

import pytest
from prose import passages as prose_of

from docs.tools.screenshots import Browser
from ghostbuster.errors import SettingError

ROOT = Path(__file__).parents[2]
AXE = Path(os.environ.get("AXE_CORE") or ROOT / "node_modules" / "axe-core" / "axe.min.js")
WINDOWS = [(1200, "light"), (1200, "dark"), (390, "light"), (320, "dark")]
TEXTS = prose_of(3, 60)
IMAGE = "<img src=x onerror=document.title='broken'>"
HOSTILE = f"{IMAGE}<script>document.title='broken'</script>"
SECONDS = 120
DROP = """
const all = new DataTransfer();
for (const [name, text] of arguments[0]) all.items.add(new File([text], name));
for (const kind of ['dragenter', 'dragover', 'drop']) {
  document.body.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: all}));
}
"""


@pytest.fixture(scope="module")
def browser():
    try:
        opened = Browser()
    except SettingError as missing:
        pytest.skip(str(missing))
    with opened:
        yield opened


@pytest.fixture
def page(browser, server):
    """The form, in a window of a desk."""
    browser.open(f"{server.address}/", 1200, 900, "light")
    return browser


@pytest.fixture(scope="module")
def places(browser, server):
    """Addresses of every kind of page; the documents have hostile names and words."""
    browser.open(f"{server.address}/", 1200, 900, "light")
    browser.run(
        DROP, [[f"{IMAGE}{'-long' * 30}.txt", f"{HOSTILE} {TEXTS[0]}"], ["b.txt", TEXTS[1]], ["c.mp3", ""]]
    )
    click(browser, "#go")
    table = finished(browser)
    return {
        "form": f"{server.address}/",
        "table": table,
        "sorted": f"{table}?sort=probability&order=desc",
        "report": f"{table}/texts/1",
        "problem": f"{server.address}/jobs/none",
        "login": f"{server.address}/login",
    }


def find(browser, selector):
    from selenium.webdriver.common.by import By

    return browser.driver.find_element(By.CSS_SELECTOR, selector)


def click(browser, selector):
    """Press what is there, once the window has moved to it."""
    element = find(browser, selector)
    browser.run("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", element)
    element.click()


def wait(browser, script):
    """Until a script says yes."""
    until = time.monotonic() + SECONDS
    while not browser.run(f"return Boolean({script})"):
        assert time.monotonic() < until, browser.driver.page_source[:2000]
        time.sleep(0.1)


def finished(browser):
    """The address of the results, once they are shown."""
    wait(browser, "location.pathname.startsWith('/jobs/') && !document.querySelector('#progress')")
    return browser.driver.current_url


def names(browser):
    return browser.run(
        "return [...document.querySelectorAll('.index tbody bdi')].map(one => one.textContent)"
    )


def test_a_pasted_text_becomes_its_report(page):
    find(page, "#text").send_keys(TEXTS[0])
    click(page, "#go")
    assert finished(page).endswith("/texts/1")
    assert page.run("return document.querySelector('h1').textContent") == "Verdict on a text"
    shown = page.run("return document.querySelector('.text').textContent")
    assert " ".join(shown.split()) == TEXTS[0]


def test_files_that_are_dropped_are_listed_added_up_and_judged(page):
    page.run(DROP, [["a.txt", TEXTS[0]]])
    page.run(DROP, [["b.txt", TEXTS[1]], ["c.txt", TEXTS[2]]])
    listed = page.run("return [...document.querySelectorAll('#chosen li')].map(one => one.textContent)")
    assert [one.split(",")[0] for one in listed] == ["a.txt", "b.txt", "c.txt"]
    assert not page.run("return document.body.classList.contains('dropping')")
    click(page, "#go")
    finished(page)
    assert names(page) == ["a.txt", "b.txt", "c.txt"]


def test_files_that_are_pasted_or_chosen_are_judged_too(page, tmp_path):
    page.run(
        "const all = new DataTransfer(); all.items.add(new File([arguments[0]], 'pasted.txt'));"
        "document.body.dispatchEvent(new ClipboardEvent('paste', {bubbles: true, clipboardData: all}))",
        TEXTS[0],
    )
    assert page.run("return document.getElementById('files').files.length") == 1
    (tmp_path / "chosen.txt").write_text(TEXTS[1], "utf-8")
    (tmp_path / "other.md").write_text(TEXTS[2], "utf-8")
    find(page, "#files").send_keys(f"{tmp_path / 'chosen.txt'}\n{tmp_path / 'other.md'}")
    click(page, "#go")
    finished(page)
    assert {"chosen.txt", "other.md"} <= set(names(page))


def test_headings_sort_rows_open_and_results_are_kept(page):
    page.run(DROP, [["b.txt", TEXTS[0]], ["c.txt", TEXTS[1]], ["a.txt", TEXTS[2]]])
    click(page, "#go")
    table = finished(page)
    click(page, ".index th:first-child a")
    wait(page, "document.querySelector('[aria-sort=ascending]')")
    assert names(page) == ["a.txt", "b.txt", "c.txt"]
    click(page, ".index th:first-child a")
    wait(page, "document.querySelector('[aria-sort=descending]')")
    assert names(page) == ["c.txt", "b.txt", "a.txt"]
    click(page, ".index tbody a")
    wait(page, "document.querySelector('.text')")
    assert "c.txt" in page.run("return document.title")
    page.driver.back()
    wait(page, "document.querySelector('.index')")
    kept = page.run("return [...document.querySelectorAll('a[download]')].map(one => one.href)")
    assert [address.removeprefix(table) for address in kept] == [
        f"/verdicts.{kind}" for kind in ("csv", "json", "html")
    ]
    fetched = page.driver.execute_async_script(
        "const done = arguments[arguments.length - 1]; fetch(arguments[0]).then(a => a.json()).then(done)",
        kept[1],
    )
    assert [row["path"] for row in fetched] == ["b.txt", "c.txt", "a.txt"]


def begin_long(page, n_texts=80):
    page.run(DROP, [[f"{i}.txt", text] for i, text in enumerate(prose_of(n_texts, 400))])
    click(page, "#go")
    wait(page, "document.querySelector('#progress')")


def test_long_work_tells_how_far_it_is_survives_a_reload_and_can_be_cancelled(page):
    begin_long(page)
    here = page.driver.current_url
    wait(page, "/[1-9][0-9]* of 80 texts, about .* left/.test(document.getElementById('says').textContent)")
    page.driver.refresh()
    assert page.driver.current_url == here
    wait(page, "document.querySelector('#bar').value > 0")
    click(page, "#progress button")
    finished(page)
    assert page.driver.current_url == here
    assert "Cancelled" in page.run("return document.querySelector('main').textContent")
    assert 0 < len(names(page)) < 80


def test_a_kind_of_text_offers_the_rates_that_it_has(browser):
    from benchmarks.serving import Served

    with Served("--model", "lite") as one:
        browser.open(f"{one.address}/", 1200, 900, "light")
        facts = one.request("GET", "/v1/detector").json()["register_thresholds"]
        name = min(facts, key=lambda name: len(facts[name]))
        browser.run(
            "const s = document.getElementById('register'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('change'))",
            name,
        )
        state = browser.run(
            "const r = document.getElementById('max_fpr');"
            "return [r.value, [...r.options].filter(o => !o.disabled).map(o => o.value)]"
        )
        rates = [f"{each['rate']:g}" for each in facts[name]]
        assert len(rates) < 3  # of three that there are for every kind
        assert state[1] == rates
        assert state[0] in rates


def test_without_javascript_everything_still_works(browser, server):
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(f"{server.address}/", 1200, 900, "light")
        find(browser, "#text").send_keys(TEXTS[0])
        click(browser, "#go")
        until = time.monotonic() + SECONDS
        while not browser.driver.current_url.endswith("/texts/1"):  # the page renews itself
            assert time.monotonic() < until
            time.sleep(0.2)
        assert "Verdict on a text" in browser.driver.page_source
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


KINDS = ["form", "table", "sorted", "report", "problem", "login"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_no_window_needs_to_be_scrolled_sideways(browser, places, kind, width, scheme):
    browser.open(places[kind], width, 800, scheme)
    assert browser.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark"), (794, "print")])
def test_axe_finds_nothing(browser, places, kind, width, scheme):
    if not AXE.exists():
        pytest.skip(f"no axe-core at {AXE}: npm install axe-core, or name axe.min.js by AXE_CORE")
    browser.open(places[kind], width, 800, scheme)
    for details in ("", "document.querySelectorAll('details').forEach(d => d.open = true);"):
        browser.run(details)
        found = browser.check_accessibility(AXE.read_text("utf-8"))
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []


def test_axe_finds_nothing_while_work_goes_on(page):
    if not AXE.exists():
        pytest.skip(f"no axe-core at {AXE}: npm install axe-core, or name axe.min.js by AXE_CORE")
    begin_long(page)
    found = page.check_accessibility(AXE.read_text("utf-8"))
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []
    click(page, "#progress button")


@pytest.mark.parametrize("kind", [one for one in KINDS if one != "problem"])
def test_nothing_is_asked_of_anybody_else_and_nothing_is_complained_about(browser, places, kind):
    browser.driver.get_log("performance")
    browser.driver.get_log("browser")
    browser.open(places[kind], 1200, 800, "light")
    time.sleep(0.3)
    messages = [json.loads(entry["message"])["message"] for entry in browser.driver.get_log("performance")]
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    origin = "/".join(places["form"].split("/")[:3])
    assert asked
    assert {address for address in asked if not address.startswith(("data:", origin))} == set()
    assert browser.driver.get_log("browser") == []


@pytest.mark.parametrize("kind", ["table", "report"])
def test_a_hostile_document_is_shown_and_does_nothing(browser, places, kind):
    browser.open(places[kind], 1200, 800, "light")
    time.sleep(0.3)
    assert browser.run("return document.title") != "broken"
    assert browser.run("return document.images.length") == 0
    assert "onerror" in browser.run("return document.body.textContent")


def test_everything_can_be_reached_with_the_keyboard(page):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    reached = []
    for _ in range(12):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        reached.append(page.run("return document.activeElement.id || document.activeElement.tagName"))
    order = [one for one in reached if one in {"text", "files", "register", "max_fpr", "go", "SUMMARY"}]
    assert order[:6] == ["text", "files", "register", "max_fpr", "go", "SUMMARY"]
    assert page.run("return document.querySelector('.skip').getAttribute('href')") == "#main"


def test_dark_and_light_differ_and_print_is_dark_on_white(browser, places):
    found = []
    for scheme in ("light", "dark", "print"):
        browser.open(places["table"], 1200, 800, scheme)
        style = "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
        found.append(browser.run(style))
    assert found[0] != found[1]
    assert found[2] == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert not browser.run("return [...document.querySelectorAll('form')].some(f => f.offsetHeight)")
    assert browser.printed().startswith(b"%PDF")


def test_a_browser_logs_in_and_stays(browser, guarded):
    address = guarded.address
    browser.open(f"{address}/", 1200, 900, "light")
    assert browser.driver.current_url == f"{address}/login"
    find(browser, "#token").send_keys("wrong")
    click(browser, "main button")
    wait(browser, "document.querySelector('[role=alert]')")
    find(browser, "#token").send_keys("0123456789abcdef0123456789abcdef")
    click(browser, "main button")
    wait(browser, "document.querySelector('#judge')")
    assert browser.run("return document.cookie") == ""  # no script reads it
    find(browser, "#text").send_keys(TEXTS[0])
    click(browser, "#go")
    assert finished(browser).endswith("/texts/1")
    browser.open(f"{address}/", 1200, 900, "light")
    click(browser, "footer button")
    wait(browser, "document.querySelector('#token')")
    browser.open(f"{address}/", 1200, 900, "light")
    assert browser.driver.current_url == f"{address}/login"
