"""serve: a run that others ask over HTTP."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Annotated

import typer

from maeum.cli.console import say
from maeum.cli.options import EngineOption, OnOption, PrecisionOption, engine_of, on_cluster
from maeum.cli.using import RunFolder, SpeakerOption

NEEDED = ("fastapi", "prometheus_client", "python_multipart", "structlog", "uvicorn")
KEYS_VARIABLE = "MAEUM_API_KEYS"


HostOption = Annotated[
    str, typer.Option(help="Address to listen at; 0.0.0.0 is all of the machine's.")
]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")]
WorkersOption = Annotated[int, typer.Option(min=1, max=64, help="Processes; each holds the model.")]
KeysOption = Annotated[
    list[str] | None,
    typer.Option(
        help=f"A key that clients must send; may be repeated. Others see what is typed: "
        f"{KEYS_VARIABLE} takes keys with commas between them."
    ),
]
CorsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="ORIGIN", help="Site whose pages may ask; may be repeated."),
]
PageOption = Annotated[
    bool | None,
    typer.Option(
        "--page/--no-page",
        help="A page for people at /. [default: if gradio is installed and no key is asked]",
    ),
]


def serve(
    run: RunFolder,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    workers: WorkersOption = 1,
    speaker: SpeakerOption = None,
    api_key: KeysOption = None,
    cors: CorsOption = None,
    page: PageOption = None,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    on: OnOption = "local",
    replicas: Annotated[
        str,
        typer.Option(
            metavar="N|FEWEST-MOST", help="--on ray: copies of the service; more as more ask."
        ),
    ] = "1",
) -> None:
    """Answer over HTTP, until told to stop; what began is finished.

    One line of JSON per request is printed on standard error, without what was sent.

    **Examples**

    `maeum serve runs/first`

    `maeum serve runs/first --host 0.0.0.0 --port 80 --workers 2 --no-page`

    `maeum serve runs/first --host 0.0.0.0 --no-page --on ray --replicas 1-8`
    """
    _ensure_installed()
    from maeum.serving import Serving
    from maeum.serving import serve as serve_

    keys = _keys(api_key)
    serving = Serving(
        run=run,
        host=host,
        port=port,
        workers=workers,
        engine=engine_of(engine, precision),
        speaker=speaker,
        api_keys=keys,
        cors=tuple(cors or ()),
        page=_page(page, keys),
    )
    with on_cluster(on) as there:
        if there:
            from maeum.cluster.serving import Replicas, serve_on_ray

            serve_on_ray(serving, Replicas.of(replicas), listening=partial(_say_where, run))
        else:
            serve_(serving, listening=partial(_say_where, run))


def _say_where(run: str, address: str) -> None:
    say(f"serving {run} at {address}, its routes at {address}/docs")


def _ensure_installed() -> None:
    """Say what to install where something is missing."""
    from maeum.errors import SettingsError

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"serving takes {', '.join(missing)}, which is not installed: "
            "pip install 'maeum[serve]'"
        )


def _keys(typed: list[str] | None) -> tuple[str, ...]:
    """The keys that were typed and those of the environment.

    Raises:
        SettingsError: one is empty.
    """
    import os

    from maeum.errors import SettingsError

    stated = os.environ.get(KEYS_VARIABLE, "")
    keys = [*(typed or []), *(part for part in stated.split(",") if part.strip())]
    if not all(key.strip() for key in keys):
        raise SettingsError("a key given with --api-key is empty; give one of some length")
    return tuple(dict.fromkeys(key.strip() for key in keys))


def _page(asked: bool | None, keys: tuple[str, ...]) -> bool:
    """Whether there is a page, and a note where that was not typed or opens what keys close."""
    from maeum.errors import SettingsError

    installed = find_spec("gradio") is not None and find_spec("maeum.serving.page") is not None
    if asked and not installed:
        raise SettingsError(
            "the page takes gradio, which is not installed: pip install 'maeum[ui]'"
        )
    if asked and keys:
        raise SettingsError(
            "a page cannot send keys, and would answer everyone; leave --page or the keys out"
        )
    if asked is None and keys:
        say("note: no page, since clients must send a key")
    elif asked is None and not installed:
        say("note: no page, since gradio is not installed (pip install 'maeum[ui]')")
    return installed and not keys if asked is None else asked
