"""Results of the page: progress, the table of verdicts, reports, and files to keep."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ghostbuster.report.formats.verdicts import CSV_COLUMNS
from ghostbuster.report.html.verdicts import verdicts_page
from ghostbuster.report.report import Report
from ghostbuster.report.wording import LABELS, decimals, promise
from ghostbuster.server.jobs import Job, Row
from ghostbuster.server.page.form import result_address, show
from ghostbuster.server.problems import RequestError
from ghostbuster.server.responses import json_response
from ghostbuster.server.scoring.scoring_child import unpack_detail
from ghostbuster.server.service import Service
from ghostbuster.system.printable import encodable

COLUMNS = {"name": "Text", "verdict": "Verdict", "probability": "Probability", "words": "Words"}
"""By which the table can be sorted."""
_CLASSES = {"probability": "n", "words": "n words"}
_NOT_KEPT = "a report that is still there", "judge the text by itself: so many long ones are not all kept"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


async def job_page(service: Service, request: Request) -> Response:
    """How far a job is, or what came of it."""
    job = service.jobs.get(request.path_params["key"])
    address = result_address(job)
    if address != request.url.path:
        return RedirectResponse(address, 303)
    by, descending = _order(request)
    facts = service.detectors[job.choice.detector]
    n_texts = len(job.rows)
    return show(
        service,
        "job.html",
        title="Reading" if job.is_working else f"Verdicts on {n_texts:,} text{'s' * (n_texts != 1)}",
        subject="the verdicts",
        links=[("Judge other texts", "/")],
        detector=facts,
        address=f"/jobs/{job.key}",
        working=job.is_working,
        state=job.state,
        percent=f"{100 * job.share:.0f}",
        says=says(job),
        n_texts=n_texts,
        n_done=job.n_done,
        columns=_columns(by, descending=descending),
        rows=_table(job, by, descending=descending),
        promise=promise(facts.threshold(job.choice.register, job.choice.max_fpr)),
    )


async def progress(service: Service, request: Request) -> Response:
    """How far a job is, for the page's script."""
    job = service.jobs.get(request.path_params["key"])
    return json_response({"state": job.state, "percent": round(100 * job.share), "says": says(job)})


async def cancel(service: Service, request: Request) -> Response:
    """Judge no more texts of a job."""
    job = service.jobs.get(request.path_params["key"])
    await service.jobs.cancel(job)
    return RedirectResponse(f"/jobs/{job.key}", 303)


async def forget(service: Service, request: Request) -> Response:
    """Drop a job and its texts."""
    await service.jobs.forget(service.jobs.get(request.path_params["key"]))
    return RedirectResponse("/", 303)


async def text_report(service: Service, request: Request) -> Response:
    """The report of one text, as ``--report`` writes it."""
    job = service.jobs.get(request.path_params["key"])
    number = int(request.path_params["number"])
    if not 1 <= number <= len(job.rows) or not job.rows[number - 1].detail:
        raise RequestError(404, f"text {number} of these results", *_NOT_KEPT)
    row = job.rows[number - 1]
    links = [("Judge other texts", "/"), ("Keep this page", f"{request.url.path}?keep=yes")]
    if len(job.rows) > 1:
        links.insert(0, ("All verdicts", f"/jobs/{job.key}"))
    if request.query_params.get("keep") == "yes":
        return _kept((await _rendered(service, job, [row])).encode(), "text/html", "html")
    return HTMLResponse(await _rendered(service, job, [row], links))


async def kept(service: Service, request: Request) -> Response:
    """The results as a file."""
    job = service.jobs.get(request.path_params["key"])
    kind = request.path_params["kind"]
    if kind == "html":
        page = await _rendered(service, job, job.rows)
        return _kept(page.encode(), "text/html", kind)
    if kind == "json":
        records = [row.record or {"path": row.name, "error": row.error} for row in job.rows if row.is_done]
        text = json.dumps(records, ensure_ascii=False, indent=2, allow_nan=False)
        return _kept(encodable(text).encode(), "application/json", kind)
    if kind == "csv":
        return _kept(_csv(job).encode("utf-8-sig", "backslashreplace"), "text/csv", kind)
    raise RequestError(404, f"results as {kind}", "csv, json or html", "ask for one of them")


def says(job: Job) -> str:
    """How far a job is, in words."""
    n_texts = len(job.rows)
    done = f"{job.n_done:,} of {n_texts:,} texts" if n_texts > 1 else f"{100 * job.share:.0f} %"
    left = job.seconds_left
    if left is None:
        return f"{done}; the remaining time is not known yet"
    return f"{done}, about {timedelta(seconds=max(round(left), 1))} left"


async def _rendered(
    service: Service, job: Job, rows: Sequence[Row], links: Sequence[tuple[str, str]] = ()
) -> str:
    """Reports of texts as one page; made in a thread, since a thousand take seconds."""
    facts = service.detectors[job.choice.detector]
    threshold = facts.threshold(job.choice.register, job.choice.max_fpr)
    shown = [row for row in rows if row.detail]
    unread = [
        (row.name, row.error or ("its report was not kept" if row.is_done else "not judged"))
        for row in rows
        if not row.detail
    ]

    def page() -> str:
        pairs = [unpack_detail(row.detail) for row in shown]
        report = Report(
            [row.name for row in shown],
            [verdict for verdict, _ in pairs],
            facts.identity,
            threshold,
            facts.device,
        )
        details = [detail for _, detail in pairs]
        return verdicts_page(report, details, facts.models, facts.unit, links=links, unread=unread)

    return await asyncio.to_thread(page)


def _kept(content: bytes, media_type: str, suffix: str) -> Response:
    disposition = f'attachment; filename="ghostbuster-verdicts.{suffix}"'
    return Response(content, media_type=media_type, headers={"Content-Disposition": disposition})


def _csv(job: Job) -> str:
    """The documented columns, and one for what went wrong."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*CSV_COLUMNS, "error"])
    for row in job.rows:
        if row.is_done:
            record = row.record or {"path": row.name}
            cells = {**record, "reasons": "; ".join(record.get("reasons", ()))}
            writer.writerow([_cell(cells.get(name)) for name in CSV_COLUMNS] + [_cell(row.error)])
    return out.getvalue()


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; numbers below 0 do not occur."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _order(request: Request) -> tuple[str, bool]:
    by = request.query_params.get("sort", "")
    return (by if by in COLUMNS else ""), request.query_params.get("order") == "desc"


def _columns(by: str, *, descending: bool) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for key, name in COLUMNS.items():
        is_sorted = key == by
        # what is asked for first: names from a, the most suspicious and the longest from the top
        falls = not descending if is_sorted else key != "name"
        made.append(
            {
                "name": name,
                "classes": _CLASSES.get(key, ""),
                "sorted": ("descending" if descending else "ascending") if is_sorted else "",
                "address": f"?sort={key}&order={'desc' if falls else 'asc'}",
            }
        )
    return [*made, {"name": "Why", "classes": "why", "sorted": "", "address": ""}]


def _table(job: Job, by: str, *, descending: bool) -> list[dict[str, Any]]:
    """Rows that are done; those without a verdict stand last, however the others are sorted."""
    rows = [(i, row) for i, row in enumerate(job.rows, start=1) if row.is_done]
    if by:
        good = [one for one in rows if _key(one[1], by) is not None]
        good.sort(key=lambda one: _key(one[1], by), reverse=descending)  # type: ignore[arg-type, return-value]
        rows = good + [one for one in rows if _key(one[1], by) is None]
    return [_shown(job, i, row) for i, row in rows]


def _key(row: Row, by: str) -> str | float | None:
    record = row.record or {}
    if by == "name":
        return row.name.casefold()
    if by == "verdict":
        order = {"human": 0.0, "unsure": 1.0, "machine": 2.0}
        return order.get(record.get("label", ""))
    value: float | None = record.get("n_words" if by == "words" else by)
    return value


def _shown(job: Job, number: int, row: Row) -> dict[str, Any]:
    record = row.record
    if record is None:
        return {
            "name": row.name,
            "address": "",
            "label": "",
            "says": "not read",
            "probability": "none",
            "n_words": "",
            "why": row.error,
            "short": row.error,
        }
    found = record["probability"]
    return {
        "name": row.name,
        "address": f"/jobs/{job.key}/texts/{number}" if row.detail else "",
        "label": record["label"],
        "says": LABELS[record["label"]],
        "probability": "none" if found is None else decimals(found),
        "n_words": f"{record['n_words']:,}",
        "why": "; ".join(record["reasons"]),
        # the first reason of a verdict repeats the number beside it
        "short": "; ".join(record["reasons"][record["label"] != "unsure" :]),
    }
