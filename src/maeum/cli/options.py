"""Command-line options made from `Settings` and other tables: a new row is a new option."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from maeum.config import Settings
from maeum.engine import Engine
from maeum.errors import SettingsError
from maeum.jobs import Executor, Here, Processes
from maeum.storage import working_folder

Command = Callable[..., None]


class EngineChoice(StrEnum):
    """What computes pretrained encoders; typer takes no list of literals here."""

    TORCH = "torch"
    OPENVINO = "openvino"
    ONNX = "onnx"


class PrecisionChoice(StrEnum):
    """In what numbers."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"


EngineOption = Annotated[
    EngineChoice | None,
    typer.Option(
        "--engine", help="What computes pretrained encoders. [default: as the run was trained]"
    ),
]

PrecisionOption = Annotated[
    PrecisionChoice | None,
    typer.Option(
        help="Of what they compute; bfloat16 and int8 are faster and round. "
        "[default: as the run was trained]"
    ),
]


JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        help="Train so many networks at once, each in a process of its own. [default: one per "
        "processor where that pays; 1 where encoders are tuned]",
    ),
]


OnOption = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="local|ray|ray://HOST",
        help="Where the work is done: on this machine, or on a Ray cluster.",
    ),
]


@contextmanager
def on_cluster(on: str) -> Iterator[bool]:
    """A block in which the cluster is there that was asked for; whether one was.

    Of a cluster that is spoken to from outside the whole command is done there, and the block is
    not entered.

    Raises:
        SettingsError: nothing goes by that name, or Ray is not installed.
        JobError: the cluster does not answer.
    """
    if on == "local":
        yield False
        return
    if on != "ray" and not on.startswith("ray://"):
        raise SettingsError(f"--on is {on!r}; expected local, ray, or ray://HOST")
    from maeum.cluster.connection import connected, ensure_installed

    ensure_installed(on)
    if on.startswith("ray://"):
        from maeum.cluster.outside import done_there

        raise typer.Exit(done_there(on, sys.argv[1:]))
    with connected(on):
        yield True


def executor_of(
    jobs: int | None, *, tuned: bool, cluster: bool = False, beside: Path | None = None
) -> Executor:
    """Where networks are trained.

    Args:
        jobs: that were typed.
        tuned: whether they tune encoders, each of which takes the whole machine.
        cluster: whether one is connected, and to be used.
        beside: a folder that all of the cluster sees.
    """
    if cluster:
        from maeum.cluster.trials import OnTune

        return OnTune(working_folder(beside or Path()), large=tuned)
    return Here() if jobs is None and tuned else Processes(jobs)


def engine_of(engine: EngineChoice | None, precision: PrecisionChoice | None) -> Engine | None:
    """The engine that was typed; None: nothing was.

    Raises:
        SettingsError: it does not serve the precision.
    """
    if engine is None and precision is None:
        return None
    usual = Engine("onnx") if precision == "int8" else Engine()
    return Engine(
        usual.name if engine is None else engine.value,
        usual.precision if precision is None else precision.value,
    )


def takes_settings(
    *, but: tuple[str, ...] = (), defaults: bool = True
) -> Callable[[Command], Command]:
    """Give a command one option per setting; those not typed reach it as None.

    Args:
        but: settings that make no sense for the command.
        defaults: whether what is not typed is the setting's default, and the help says so.
    """

    def decorate(command: Command) -> Command:
        added = [_option(name, defaults) for name in Settings.model_fields if name not in but]
        return _with(command, added)

    return decorate


def takes_words(options: Mapping[str, str]) -> Callable[[Command], Command]:
    """Give a command options of one word each; those not typed reach it as None.

    Args:
        options: name -> help.
    """

    def decorate(command: Command) -> Command:
        return _with(command, [_word(name, says) for name, says in options.items()])

    return decorate


def _with(command: Command, added: Sequence[inspect.Parameter]) -> Command:
    """The command with parameters in place of its `**`."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    command.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in (*own, *added)}
    return command


def _word(name: str, says: str) -> inspect.Parameter:
    annotation = Annotated[str | None, typer.Option(f"--{name.replace('_', '-')}", help=says)]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


def _option(name: str, defaults: bool) -> inspect.Parameter:
    field = Settings.model_fields[name]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    flag = str(extra.get("flag", f"--{name.replace('_', '-')}"))
    if bool in (field.annotation, *get_args(field.annotation)):
        flag = f"{flag}/--no-{flag.removeprefix('--')}"
    silent = not defaults or field.default is None or isinstance(field.default, bool)
    default = "" if silent else f" [default: {field.default}]"
    annotation = Annotated[  # type: ignore[valid-type]
        _optional(field.annotation), typer.Option(flag, help=f"{field.description}{default}")
    ]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


def _optional(kind: Any) -> Any:  # noqa: ANN401 - types of any setting
    return kind if type(None) in get_args(kind) else kind | None
