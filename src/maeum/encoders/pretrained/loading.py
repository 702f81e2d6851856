"""Configuration and weights from a folder: read without running any code of theirs, or refused."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import nn
from transformers import CONFIG_MAPPING, AutoConfig, PretrainedConfig

from maeum.encoders.pretrained.places import files_that_matter, weights_in
from maeum.encoders.pretrained.quiet import quietly
from maeum.errors import EncoderError

UNUSED = re.compile(r"(.*\.)?(pooler\..*|masked_spec_embed)")
"""Names of tensors that a folder may lack: no vector depends on them. They become zero."""

LAYER = re.compile(r"\blayers?\.(\d+)\.")
"""The number of a layer in the name of a tensor."""

OVERRULED = {"return_dict": True, "chunk_size_feed_forward": 0}
"""Settings in config.json that change the form of what comes out or the memory, and no vector."""

DEPTHS, MOST_LAYERS = ("num_hidden_layers", "encoder_layers"), 1000
"""Settings in config.json that count layers; thousands take hours to build, and are a mistake."""

KERNELS = ("attn_implementation", "_attn_implementation")
"""Settings in config.json that can name a repository whose code is to compute attention."""

POINTER = b"version https://git-lfs"
"""How a file begins that a checkout without git-lfs leaves in the place of weights."""

UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    SafetensorError,
    StrictDataclassError,
    TypeError,
    ValueError,
)
"""What building a model raises where a file is broken or cut off, or its numbers make no model."""


def read_config(folder: Path) -> PretrainedConfig:
    """What kind of model a folder holds.

    Raises:
        EncoderError: `config.json` is broken, of an unknown kind, quantized, or asks for code.
    """
    path = folder / "config.json"
    kind = _kind_in(path)
    try:
        with quietly():
            config = AutoConfig.from_pretrained(
                str(folder), trust_remote_code=False, local_files_only=True
            )
    except UNREADABLE as error:
        raise EncoderError(
            f"{path} describes no {kind} ({first_line(error)}); fetch it again"
        ) from error
    for name, value in OVERRULED.items():
        setattr(config, name, value)
    return config


def read_weights(
    model_class: Any,  # noqa: ANN401 - one of transformers' model classes, automatic ones too
    folder: Path,
    config: PretrainedConfig,
    **kwargs: Any,  # noqa: ANN401 - as from_pretrained takes them
) -> nn.Module:
    """A model with its weights, all of them from the folder, in float32, not training.

    Args:
        model_class: of transformers.
        folder: where the weights lie.
        config: of the model.
        kwargs: what else `from_pretrained` is told.

    Raises:
        EncoderError: a file is broken or more than weights, or they are another model's.
    """
    names = weights_in(path.name for path in folder.iterdir())
    _refuse_pointers(folder, names)
    with quietly(), _blamed_on(folder):
        model, told = model_class.from_pretrained(
            str(folder),
            config=config,
            dtype=torch.float32,
            use_safetensors=any("safetensors" in name for name in names),
            weights_only=True,
            trust_remote_code=False,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
            output_loading_info=True,
            **kwargs,
        )
    _refuse_missing(folder, told["missing_keys"])
    _refuse_half(folder, told["unexpected_keys"], model.state_dict().keys())
    _refuse_misshapen(folder, told["mismatched_keys"])
    for name in told["missing_keys"]:
        nn.init.zeros_(model.get_parameter(name))
    return model.eval()


def digests(folder: Path) -> bytes:
    """Names and digests of the files of weights, configuration and vocabulary, one after another.

    Where the folder lies does not count, nor do files that nobody reads.
    """
    names = files_that_matter(path.name for path in folder.iterdir())
    return b"".join(name.encode() + _digest(folder / name) for name in names)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def fingerprint(files: bytes, *salt: str) -> str:
    """16 hexadecimal digits that change when the files, as `digests` has them, or salt do."""
    return hashlib.sha256(json.dumps(salt).encode() + files).hexdigest()[:16]


def _kind_in(path: Path) -> str:
    """The `model_type` of a configuration that nothing speaks against."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderError(f"{path} is no JSON ({first_line(error)}); fetch it again") from error
    if not isinstance(values, dict) or not isinstance(values.get("model_type"), str):
        raise EncoderError(f'{path} states no kind; expected a line like "model_type": "bert"')
    objection = _objection(values)
    if objection:
        raise EncoderError(f"{path} {objection}; take another encoder")
    return str(values["model_type"])


def _objection(values: dict[str, Any]) -> str:
    """Why a configuration is refused, in words; empty where it is not."""
    kind = values["model_type"]
    if kind not in CONFIG_MAPPING:
        code = ", which needs code of its own; no such code is run" if "auto_map" in values else ""
        return f"is of the unknown kind {kind!r}{code}"
    for depth in DEPTHS:
        if depth in values and not _is_depth(values[depth]):
            return f"has {depth}={values[depth]!r}, expected 1 to {MOST_LAYERS}"
    if any("/" in str(values.get(setting)) for setting in KERNELS):
        return "wants attention computed by code from the model hub; no such code is run"
    return "is of a quantized model" if "quantization_config" in values else ""


def _is_depth(value: object) -> bool:
    return isinstance(value, int) and 1 <= value <= MOST_LAYERS


@contextmanager
def _blamed_on(folder: Path) -> Iterator[None]:
    """What goes wrong while weights are read, as one sentence about their folder."""
    try:
        yield
    except UnpicklingError as error:
        raise EncoderError(
            f"the weights in {folder} are broken, or come with code, which is never run; "
            "take model.safetensors"
        ) from error
    except UNREADABLE as error:
        raise EncoderError(
            f"the weights in {folder} cannot be read ({first_line(error)}); fetch them and "
            "config.json again"
        ) from error


def _refuse_pointers(folder: Path, names: Collection[str]) -> None:
    for name in names:
        with (folder / name).open("rb") as file:
            if file.read(len(POINTER)) == POINTER:
                raise EncoderError(
                    f"{folder / name} only points to the weights; run `git lfs pull` in its folder"
                )


def _refuse_missing(folder: Path, names: Collection[str]) -> None:
    missing = sorted(name for name in names if not UNUSED.fullmatch(name))
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise EncoderError(
            f"{folder} holds another model or half of one: it lacks {missing[0]}{more}"
        )


def _refuse_half(folder: Path, unread: Collection[str], own: Collection[str]) -> None:
    """Refuse layers that are not read where their first sister is.

    Those of a decoder or a head are left alone, sisters and all.

    Args:
        folder: of the weights.
        unread: names of tensors in it that the model has no place for.
        own: names of the model's tensors; those in files may have a prefix.
    """
    known = {*own}
    for name in sorted(unread):
        sisters = {f"{name[: at.start(1)]}0{name[at.end(1) :]}" for at in LAYER.finditer(name)}
        if any(_ends_in(sister, known) for sister in sisters - {*unread}):
            raise EncoderError(
                f"{folder} holds more layers than its config.json describes, {name} among them; "
                "fetch config.json again"
            )


def _ends_in(name: str, known: set[str]) -> bool:
    """Whether a name, or what is left of it without some of its first parts, is known."""
    parts = name.split(".")
    return any(".".join(parts[start:]) in known for start in range(len(parts)))


def _refuse_misshapen(folder: Path, found: Collection[tuple[str, Any, Any]]) -> None:
    for name, given, expected in sorted(found)[:1]:
        raise EncoderError(
            f"{folder} holds other weights than its config.json describes: {name} is "
            f"{tuple(given)}, expected {tuple(expected)}"
        )


def first_line(error: BaseException) -> str:
    """What went wrong, in one line; where that ends with a colon, what comes behind it too."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if lines[0].endswith(":") and len(lines) > 1:
        return f"{lines[0]} {lines[1].strip()}"
    return lines[0].rstrip(".:; ")
