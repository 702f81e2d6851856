"""Where a run lies: a folder, or one elsewhere or a repository on the hub, fetched into one."""

from __future__ import annotations

import json
from pathlib import Path

from maeum.encoders.pretrained.places import named_folder, repository_of
from maeum.engine import BUILTIN
from maeum.errors import RunError
from maeum.storage import fetched, is_far

EXPORTED = "exported.json"
"""Says what an exported folder holds; written last."""

_RUN = ("*.json", "*.safetensors", "*.yaml", "*.parquet", "README.md")
_EXPORTED = ("*.onnx", "*.onnx.data", "*.xml", "*head.bin", "*graph.bin", "*.npy")
_VOCABULARY = ("*.txt", "*.model", "*.spm", "*.tiktoken")  # of encoders that were tuned

FILES = (*_RUN, *_EXPORTED, *_VOCABULARY)
"""What of a repository, or of a run elsewhere, is fetched: no code and nothing pickled."""


OURS = "maeum"
"""`model_type` in config.json of our networks."""


def foreign_model(folder: Path) -> str | None:
    """The class of the model in a folder, as its config.json names it, if that is none of ours."""
    try:
        stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        ours, named = stated["model_type"] == OURS, stated["architectures"][0]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return None if ours or not isinstance(named, str) else named


def is_builtin(name: str) -> bool:
    """Whether a name is that of a classifier which travels with the package, or ought to be."""
    return name.startswith(BUILTIN)


def refuse_builtin(name: str | Path) -> None:
    """Where the folder of a run is needed, a built-in classifier cannot stand.

    Raises:
        RunError: the name is that of one.
    """
    if is_builtin(str(name)):
        raise RunError(
            f"{name} is built in: it answers (predict, serve) and is judged (evaluate, compare), "
            "and has no folder; expected that of a run"
        )


def local_folder(name: str) -> Path:
    """The folder of a run, fetched if `name` is that of a repository.

    A folder of a model that is none of ours may lack its weights.

    Raises:
        RunError: the folder holds no finished run, or no model hub gave the repository; or the
            name is that of a built-in classifier.
        StorageError: it lies elsewhere and cannot be had.
    """
    refuse_builtin(name)
    path = fetched(name, FILES)
    if path.is_file():
        raise RunError(f"{path} is a file; expected the folder of a run")
    if path.is_dir():
        _refuse_what_is_no_run(path)
        return path
    if not may_be_on_hub(name):
        raise RunError(f"{path} does not exist; expected the folder of a run")
    shelf = named_folder(name)
    if shelf is not None and foreign_model(shelf):
        return shelf
    return _fetched(name)


def may_be_on_hub(name: str) -> bool:
    """Whether a name that is no folder's may be one on the model hub, `author/model`."""
    path = Path(name)
    near = not is_far(path) and not path.is_absolute()
    return near and len(path.parts) == 2 and not path.parent.is_dir()


def _refuse_what_is_no_run(folder: Path) -> None:
    if (folder / "model.safetensors").is_file() and (folder / "config.json").is_file():
        return
    if (folder / EXPORTED).is_file() or foreign_model(folder):
        return
    if (folder / "maeum.yaml").is_file():
        raise RunError(
            f"{folder} holds no network: an unfinished run goes on when the same `maeum train` is "
            "typed again, a cross-validation keeps none"
        )
    raise RunError(f"{folder} is no run (it has no config.json and model.safetensors)")


def _fetched(name: str) -> Path:
    """What is small first: of a model that is none of ours others know what to fetch."""
    folder = _snapshot(name, ("*.json",))
    return folder if foreign_model(folder) else _snapshot(name, FILES)


def _snapshot(name: str, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import errors, snapshot_download

    repository, revision = repository_of(name)
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(patterns)))
    except errors.GatedRepoError as error:
        raise RunError(
            f"{name} cannot be loaded: its authors want to be asked first; do so on its page, then "
            "`hf auth login`"
        ) from error
    except (
        errors.HfHubHTTPError,
        errors.HFValidationError,
        errors.LocalEntryNotFoundError,
        OSError,
    ) as error:
        reason = str(error).splitlines()[0]
        raise RunError(
            f"{name} cannot be loaded as a run: it is no folder, and no model hub gave it "
            f"({reason})"
        ) from error
