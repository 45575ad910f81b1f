"""Take the pictures of the reports in docs/images from a real browser.

    python docs/tools/screenshots.py [--evaluation REPORT.html] [--only-served]

Needs Chromium with its driver, pdftoppm (Debian: ``apt install chromium chromium-driver poppler-utils``) and
the extras ``report`` and ``browser`` of this package. The report of verdicts is made of the two examples, one
behind the other. Pictures of a report of an evaluation are taken where one is given.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ghostbuster.cli import main as ghostbuster
from ghostbuster.errors import SettingError

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # for ``benchmarks``
IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 150_000
COLORS = 96
"""Colours a picture keeps: enough for flat pages, and a third of the bytes."""
BROWSERS, DRIVERS = ("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)

A4 = (794, 1123)
# name: width, height, colour scheme or print, first element in the picture
VERDICTS: dict[str, tuple[int, int, str, str]] = {
    "report": (900, 1130, "light", "body"),
    "report-along": (900, 1180, "light", "article section:nth-of-type(4)"),
    "report-dark": (900, 1180, "dark", "article section:nth-of-type(4)"),
    "report-phone": (390, 1300, "dark", "body"),
}
EVALUATION: dict[str, tuple[int, int, str, str]] = {
    "evaluation": (1000, 1500, "light", "body"),
    "evaluation-dark": (1000, 1300, "dark", ".plots"),
    "evaluation-phone": (390, 1300, "light", "body"),
}

SERVED_FORM: dict[str, tuple[int, int, str, str]] = {"serve-form": (900, 1090, "light", "body")}
SERVED_VERDICTS: dict[str, tuple[int, int, str, str]] = {
    "serve-verdicts": (900, 860, "light", "body"),
    "serve-phone": (390, 1000, "dark", "body"),
}


class Browser:
    """Headless Chromium; a context that closes it.

    Raises
    ------
    SettingError
        When Chromium, its driver or selenium is missing.
    """

    def __init__(self) -> None:
        try:
            from selenium import webdriver
        except ImportError:
            raise SettingError("selenium is not installed: pip install 'ghostbuster[browser]'") from None
        found = [next(filter(None, map(shutil.which, names)), None) for names in (BROWSERS, DRIVERS)]
        if None in found:
            raise SettingError("no Chromium or no driver of it: apt install chromium chromium-driver")
        options = webdriver.ChromeOptions()
        options.binary_location = str(found[0])
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(executable_path=str(found[1]))
        self.driver: Chrome = webdriver.Chrome(options=options, service=service)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.driver.quit()

    def open(self, page: Path | str, width: int, height: int, scheme: str) -> None:
        """Show a file or an address in a window of that size; ``scheme`` is light, dark or print."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self._ask(
            "Emulation.setEmulatedMedia",
            media="print" if scheme == "print" else "screen",
            features=[{"name": "prefers-color-scheme", "value": "dark" if scheme == "dark" else "light"}],
        )
        self.driver.get(page if isinstance(page, str) else page.resolve().as_uri())

    def printed(self) -> bytes:
        """PDF of the page on A4."""
        values = {
            "printBackground": True,
            "preferCSSPageSize": True,
            "paperWidth": 8.27,
            "paperHeight": 11.69,
        }
        return base64.b64decode(self._ask("Page.printToPDF", **values)["data"])

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns, run by the driver: the page itself allows none."""
        return self.driver.execute_script(script, *arguments)

    def picture(self, width: int, height: int, first: str = "body") -> bytes:
        """PNG of the page from an element on."""
        top = self.run(
            "return document.querySelector(arguments[0]).getBoundingClientRect().top + scrollY", first
        )
        whole = self.run("return document.documentElement.scrollHeight")
        top = max(top - 16, 0) if first != "body" else 0
        clip = {"x": 0, "y": top, "width": width, "height": min(height, whole - top), "scale": 1}
        shot = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(shot["data"])

    def check_accessibility(self, axe: str) -> dict[str, Any]:
        """What axe-core finds, given its source."""
        self._ask("Page.setBypassCSP", enabled=True)
        self.driver.refresh()
        self.run(axe)
        found: dict[str, Any] = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; axe.run(document).then(done)"
        )
        self._ask("Page.setBypassCSP", enabled=False)
        return found

    def _ask(self, command: str, **values: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, values)


def smaller(png: bytes) -> bytes:
    """The same picture in fewer colours."""
    from PIL import Image

    flat = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    out = io.BytesIO()
    flat.save(out, "png", optimize=True)
    return out.getvalue()


def pages(pdf: bytes, n_pages: int = 2) -> bytes:
    """PNG of the first pages of a PDF, side by side.

    Raises
    ------
    SettingError
        When pdftoppm is missing.
    """
    from PIL import Image

    tool = shutil.which("pdftoppm")
    if tool is None:
        raise SettingError("pdftoppm is not installed: apt install poppler-utils")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.pdf"
        source.write_bytes(pdf)
        command = [tool, "-r", "70", "-png", "-l", str(n_pages), source, source.with_suffix("")]
        subprocess.run(command, check=True)
        images = [Image.open(path).convert("RGB") for path in sorted(Path(folder).glob("*.png"))]
    joined = Image.new("RGB", (sum(image.width + 12 for image in images) - 12, images[0].height), "#9aa1aa")
    for i, image in enumerate(images):
        joined.paste(image, (i * (image.width + 12), 0))
    out = io.BytesIO()
    joined.save(out, "png")
    return out.getvalue()


def keep(name: str, png: bytes) -> None:
    """Write a picture that is small enough.

    Raises
    ------
    SettingError
        When it is not.
    """
    png = smaller(png)
    if len(png) > MOST_BYTES:
        raise SettingError(f"{name} has {len(png):,} bytes; expected {MOST_BYTES:,} at most")
    (IMAGES / f"{name}.png").write_bytes(png)
    print(f"{name}: {len(png):,} bytes")


def take(browser: Browser, page: Path | str, pictures: dict[str, tuple[int, int, str, str]]) -> None:
    """Take every picture of a page."""
    for name, (width, height, scheme, first) in pictures.items():
        browser.open(page, width, height, scheme)
        keep(name, browser.picture(width, height, first))


def mixed(folder: Path) -> Path:
    """A text whose first half a person wrote, and whose second half a machine did."""
    halves = [(ROOT / "examples" / name).read_text("utf-8") for name in ("human.txt", "machine.txt")]
    os.chdir(folder)
    path = Path("essay.txt")  # as the report will call it
    path.write_text("\n\n".join(halves), "utf-8")
    return path


def take_served(browser: Browser, folder: Path) -> None:
    """Pictures of the server's page: the form, and the table of several documents."""
    from selenium.webdriver.common.by import By

    from benchmarks.serving import Served

    human, machine = ((ROOT / "examples" / name).read_text("utf-8") for name in ("human.txt", "machine.txt"))
    documents = {
        "anna.txt": human,
        "ben.md": machine,
        "chris.txt": f"{human}\n\n{machine}",
        "dana.txt": "A note, far too short to judge.",
        "scan.pdf": "",
    }
    for name, text in documents.items():
        (folder / name).write_text(text, "utf-8")
    with Served() as server:
        take(browser, f"{server.address}/", SERVED_FORM)
        chosen = browser.driver.find_element(By.ID, "files")
        chosen.send_keys("\n".join(str(folder / name) for name in documents))
        go = browser.driver.find_element(By.ID, "go")
        browser.run("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", go)
        go.click()
        until = time.monotonic() + 120
        while not browser.run("return Boolean(document.querySelector('.index a[download], a[download]'))"):
            if time.monotonic() > until:
                raise SettingError("the texts were not judged in two minutes; expected seconds")
            time.sleep(0.5)
        take(browser, browser.driver.current_url, SERVED_VERDICTS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--evaluation", type=Path, help="A report that `ghostbuster evaluate` made.")
    parser.add_argument("--only-served", action="store_true", help="Only those of the server's page.")
    given = parser.parse_args()
    evaluation = given.evaluation and given.evaluation.resolve()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        take_served(browser, Path(folder))
        if given.only_served:
            return
        page = Path(folder) / "report.html"
        ghostbuster(["score-file", str(mixed(Path(folder))), "--report", str(page), "--quiet"])
        take(browser, page, VERDICTS)
        browser.open(page, *A4, "print")
        keep("report-print", pages(browser.printed()))
        if evaluation is not None:
            take(browser, evaluation, EVALUATION)


if __name__ == "__main__":
    main()
