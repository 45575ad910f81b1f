"""``ghostbuster serve``: a page for people and an interface for programs, on this computer."""

from __future__ import annotations

import ipaddress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostbuster.commands.shared.options import Device, GpuLayers, PanelName, Quiet, StrongModel, WeakModel
from ghostbuster.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghostbuster.server.scoring.detectors import DetectorFacts

NEEDED = ("starlette", "uvicorn", "python_multipart")
_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - only with a token


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; beyond this computer only with a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 is any free one.")] = 8765,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="ARTIFACT",
            help="A detector made by `train`; several may be given, the first is the default.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help="Ask for the token in this file; needed beyond this computer.",
        ),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", metavar="NAME", help="A name that browsers know this server by."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Scoring processes, each with its own models.")
    ] = 1,
    queue: Annotated[
        int,
        typer.Option(
            min=1, max=100_000, metavar="N", help="Texts that wait at most; more are told to come again."
        ),
    ] = 256,
    cache: Annotated[
        bool, typer.Option("--cache", help="Look up and remember the language models' scores on disk.")
    ] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
    panel: PanelName = None,
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    quiet: Quiet = False,
) -> None:
    """Serve a page where texts are judged, and the same for programs; no text leaves this computer."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise SettingError(f"serve needs {' and '.join(missing)}: pip install 'ghostbuster[serve]'")
    is_local = _is_loopback(host)
    if token_file is None and not is_local:
        raise SettingError(
            f"--host {host} can be reached by others; expected --token-file FILE with a token that they "
            "must know: (umask 077; openssl rand -hex 32 > token)"
        )

    from ghostbuster.artifacts.shipped import detector_path
    from ghostbuster.commands.shared.detectors import log_on_stderr, own_models
    from ghostbuster.server.intake.guard import Access
    from ghostbuster.server.limits import Limits
    from ghostbuster.server.run import bind, read_token, start_children
    from ghostbuster.server.run import serve as answer_requests
    from ghostbuster.server.scoring.detectors import DetectorFile
    from ghostbuster.server.scoring.scoring_child import ChildSettings
    from ghostbuster.server.service import Service

    log_on_stderr(quiet=quiet)
    token = None if token_file is None else read_token(token_file)
    models = own_models(weak_model, strong_model)
    if models is not None and panel is not None:
        raise SettingError(f"--panel {panel} and files of models: give one or the other")
    files = [DetectorFile(detector_path(path), models or panel) for path in model or (None,)]
    with bind(host, port) as listener:
        settings = ChildSettings(device=device, gpu_layers=gpu_layers, cache=cache)
        children = start_children(files, settings, workers)
        access = Access(
            frozenset({"localhost", "127.0.0.1", "::1", host.lower(), *map(str.lower, allowed_host or ())}),
            any_address=not is_local,
            token=token,
        )
        service = Service(children, access, Limits(queue_texts=queue), is_local=is_local)
        address = _address(host, listener.getsockname()[1])

        def started() -> None:
            typer.echo(_greeting(address, service.detectors, quiet=quiet))
            if open_page:
                typer.launch(address)

        answer_requests(service, listener, started)


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in _ANYWHERE else host
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def _greeting(address: str, detectors: Sequence[DetectorFacts], *, quiet: bool) -> str:
    """Address, detectors and what they promise."""
    from ghostbuster.report.wording import promise

    lines = [f"ghostbuster serves {address}"]
    if not quiet:
        for one in detectors:
            lines.append(f"detector {one.identity} on {one.device}")
            lines.append(f"  {promise(one.threshold(None, one.max_fpr))}".replace("\u00a0", " "))
        lines.append("Ctrl-C ends it once what is accepted is answered; a second one at once.")
    return "\n".join(lines)
