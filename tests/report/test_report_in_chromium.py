"""Both reports in a real browser: what a person sees, on a desk, on a phone, in the dark, on paper.

Skipped where Chromium, its driver or selenium is missing. The accessibility check also needs axe-core:
``npm install axe-core`` in the root of the project, or its ``axe.min.js`` named by ``AXE_CORE``.
"""

import json
import os
from pathlib import Path

import pytest
from prose import passages as prose_of

from docs.tools.screenshots import Browser
from ghostbuster.cli import main
from ghostbuster.errors import SettingError

ROOT = Path(__file__).parents[2]
AXE = Path(os.environ.get("AXE_CORE") or ROOT / "node_modules" / "axe-core" / "axe.min.js")
WINDOWS = [(1200, "light"), (1200, "dark"), (390, "light"), (320, "dark")]
HOSTILE = "<script>document.title = 'broken'</script><img src=x onerror=\"document.title='broken'\">"


@pytest.fixture(scope="module")
def browser():
    try:
        opened = Browser()
    except SettingError as missing:
        pytest.skip(str(missing))
    with opened:
        yield opened


@pytest.fixture(scope="module")
def verdicts(detector_file, tmp_path_factory):
    """A report of a long text, a hostile one, and one too short to judge."""
    folder = tmp_path_factory.mktemp("shown")
    texts = {
        "long.txt": "\n\n".join(prose_of(6, 150)),
        f"{'very-long-name-' * 8}<b>.txt": f"{HOSTILE} {prose_of(1, 400)[0]} {'x' * 300} \u202eabc",
        "short.txt": "Too short.",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    page = folder / "report.html"
    files = [str(folder / name) for name in texts]
    assert main(["score-file", *files, "--model", str(detector_file), "--report", str(page), "-q"]) == 0
    return page


@pytest.fixture(scope="module")
def evaluation(detector_file, labelled_table, tmp_path_factory):
    pytest.importorskip("matplotlib", reason="figures need matplotlib: pip install 'ghostbuster[report]'")
    page = tmp_path_factory.mktemp("shown") / "report.html"
    assert main(["evaluate", str(detector_file), str(labelled_table), "--report", str(page), "-q"]) == 0
    return page


@pytest.fixture(params=["verdicts", "evaluation"])
def page(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_no_window_needs_to_be_scrolled_sideways(browser, page, width, scheme):
    browser.open(page, width, 800, scheme)
    assert browser.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "scheme"), [*WINDOWS, (794, "print")])
def test_axe_finds_nothing(browser, page, width, scheme):
    if not AXE.exists():
        pytest.skip(f"no axe-core at {AXE}: npm install axe-core, or name axe.min.js by AXE_CORE")
    browser.open(page, width, 800, scheme)
    for details in ("", "document.querySelectorAll('details').forEach(d => d.open = true);"):
        browser.run(details)
        found = browser.check_accessibility(AXE.read_text("utf-8"))
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []


def test_nothing_is_asked_of_the_network_and_nothing_is_complained_about(browser, page):
    browser.driver.get_log("performance")
    browser.driver.get_log("browser")
    browser.open(page, 1200, 800, "light")
    messages = [json.loads(entry["message"])["message"] for entry in browser.driver.get_log("performance")]
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    assert {address for address in asked if not address.startswith("data:")} == {page.resolve().as_uri()}
    assert browser.driver.get_log("browser") == []


def test_a_hostile_text_is_shown_and_does_nothing(browser, verdicts):
    browser.open(verdicts, 1200, 800, "light")
    assert browser.run("return document.title") == "Verdicts on 3 texts"
    assert browser.run("return document.scripts.length + document.images.length") == 0
    assert "onerror" in browser.run("return document.querySelectorAll('.text')[1].textContent")


def test_pointing_at_a_token_shows_its_numbers_inside_the_window(browser, verdicts):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    browser.open(verdicts, 1200, 800, "light")
    token = browser.driver.find_elements(By.CSS_SELECTOR, ".text i")[40]
    browser.run("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", token)
    ActionChains(browser.driver).move_to_element(token).perform()
    shown = browser.run(
        "const s = getComputedStyle(arguments[0], '::after'); return [s.content, s.position, s.bottom]", token
    )
    assert token.get_attribute("data-p") in shown[0]
    assert (
        f'"rank " "{token.get_attribute("data-r")}"' in shown[0] or token.get_attribute("data-r") in shown[0]
    )
    assert shown[1:] == ["fixed", "0px"]


def test_every_number_can_be_reached_with_the_keyboard(browser, verdicts):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.open(verdicts, 1200, 800, "light")
    outer = browser.driver.find_element(By.CSS_SELECTOR, "#t1 .tables > summary")
    outer.send_keys(Keys.ENTER)
    inner = browser.driver.find_element(By.CSS_SELECTOR, "#t1 .tables li summary")
    inner.send_keys(Keys.ENTER)
    table = browser.driver.find_element(By.CSS_SELECTOR, "#t1 .tokens")
    assert table.is_displayed()
    cells = [cell.text for cell in table.find_elements(By.CSS_SELECTOR, "tbody tr:first-child td")]
    first = browser.driver.find_element(By.CSS_SELECTOR, "#t1 .text i")
    assert cells == [
        first.text,
        *(first.get_attribute(f"data-{k}") for k in "pr"),
        first.get_attribute("data-e"),
    ]


def test_printed_it_is_dark_on_white_without_what_only_a_screen_can_use(browser, page):
    browser.open(page, 794, 1123, "print")
    colours = browser.run("const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]")
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert not browser.run("return [...document.querySelectorAll('details')].some(d => d.offsetHeight)")
    assert browser.printed().startswith(b"%PDF")


def test_dark_and_light_differ(browser, page):
    found = []
    for scheme in ("light", "dark"):
        browser.open(page, 1200, 800, scheme)
        found.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert found[0] != found[1]


def test_ten_thousand_tokens_open_at_once(browser, detector_file, tmp_path):
    path, page = tmp_path / "long.txt", tmp_path / "long.html"
    path.write_text(" ".join(prose_of(20, 330)), "utf-8")
    assert main(["score-file", str(path), "--model", str(detector_file), "--report", str(page), "-q"]) == 0
    assert page.stat().st_size < 1_500_000
    browser.open(page, 1200, 800, "light")
    n_tokens = browser.run("return document.querySelectorAll('.text i').length")
    elements = browser.run("return document.querySelectorAll('*').length")
    assert n_tokens > 8_000
    assert elements < 8 * n_tokens
