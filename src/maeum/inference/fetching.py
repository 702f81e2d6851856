"""Where a run lies: a folder, or a repository on the model hub that is fetched into one."""

from __future__ import annotations

from pathlib import Path

from maeum.errors import RunError

EXPORTED = "exported.json"
"""Says what an exported folder holds; written last."""

_RUN = ("*.json", "*.safetensors", "*.yaml", "*.parquet", "README.md")
_EXPORTED = ("*.onnx", "*.onnx.data", "*.xml", "*head.bin", "*graph.bin", "*.npy")
_VOCABULARY = ("*.txt", "*.model", "*.spm", "*.tiktoken")  # of encoders that were tuned

FILES = (*_RUN, *_EXPORTED, *_VOCABULARY)
"""What of a repository is fetched: no code and nothing pickled."""


def local_folder(name: str) -> Path:
    """The folder of a run, fetched if `name` is that of a repository.

    Raises:
        RunError: the folder holds no finished run, or no model hub gave the repository.
    """
    path = Path(name)
    if path.is_file():
        raise RunError(f"{path} is a file; expected the folder of a run")
    if path.is_dir():
        _refuse_what_is_no_run(path)
        return path
    if path.is_absolute() or len(path.parts) != 2 or path.parent.is_dir():
        raise RunError(f"{path} does not exist; expected the folder of a run")
    return _fetched(name)


def _refuse_what_is_no_run(folder: Path) -> None:
    if (folder / "model.safetensors").is_file() and (folder / "config.json").is_file():
        return
    if (folder / EXPORTED).is_file():
        return
    if (folder / "maeum.yaml").is_file():
        raise RunError(
            f"{folder} holds no network: an unfinished run goes on when the same `maeum train` is "
            "typed again, a cross-validation keeps none"
        )
    raise RunError(f"{folder} is no run (it has no config.json and model.safetensors)")


def _fetched(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(
            f"{name} cannot be loaded as a run: it is no folder, and no model hub gave it "
            f"({reason})"
        ) from error
