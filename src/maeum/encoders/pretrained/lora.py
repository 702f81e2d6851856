"""Low-rank updates (LoRA, Hu et al. 2021): a pretrained model learns in a few million weights.

An adapter is kept in the layout of peft, `adapter_config.json` and `adapter_model.safetensors`,
beside `base.json`, which says whose adapter it is.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from maeum.config import MOST_RANK
from maeum.encoders import Reading
from maeum.errors import EncoderError, SettingsError

if TYPE_CHECKING:
    from peft import LoraConfig

    from maeum.encoders.pretrained.encoder import Pretrained

AnyEncoder = TypeVar("AnyEncoder", bound="Pretrained[Any, Any]")

ADAPTER, WEIGHTS, BASE = "adapter_config.json", "adapter_model.safetensors", "base.json"

FOLLOWED = ("r", "lora_alpha", "target_modules")
"""Of a configuration of peft, what is read."""

WITHOUT_EFFECT = (
    "auto_mapping",
    "base_model_name_or_path",
    "inference_mode",
    "lora_dropout",
    "peft_version",
    "revision",
    "task_type",
)
"""Of a configuration of peft, what changes no vector; all else must be as peft has it by itself."""


BEGINNINGS = (True, False, "gaussian", "orthogonal", "eva")
"""How an adapter may have begun; other ways changed the model below it."""

logger = logging.getLogger(__name__)


class Base(NamedTuple):
    """The encoder an adapter belongs to.

    Attributes:
        name: as typed, or its folder.
        version: of its weights, read so; those of another version have no use for the adapter.
        reading: how it was read when it had that version; None: as it is asked for.
    """

    name: str
    version: str
    reading: Reading | None = None


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter rather than a whole model."""
    return (folder / ADAPTER).is_file()


def has_adapter(model: nn.Module) -> bool:
    """Whether an adapter was put into a model."""
    return hasattr(model, "peft_config")


def add_adapter(model: nn.Module, rank: int) -> None:
    """Put a fresh adapter on every linear layer; from then on only the adapter learns.

    Attention and feed-forward layers alike: WavLM hands the weights of its attention to torch, past
    any adapter on them, so an adapter on attention alone would learn nothing there.

    Args:
        model: changed in place. One that has an adapter keeps it and learns on.
        rank: of the updates.

    Raises:
        SettingsError: peft is not installed.
    """
    if has_adapter(model):
        _go_on_with_adapter(model, rank)
        return
    config_class, inject = _peft()
    inject(config_class(r=rank, lora_alpha=2 * rank, target_modules="all-linear"), model)
    _spare_casts(model)


def _spare_casts(model: nn.Module) -> None:
    """Inputs in bfloat16 are not made float32 for the adapter, only to be made bfloat16 again.

    Where everything is float32 nothing changes; in bfloat16 a step takes 5 % less.
    """
    for module in model.modules():
        if hasattr(module, "lora_A"):
            module.cast_input_dtype_enabled = False  # type: ignore[assignment]


def _go_on_with_adapter(model: Any, rank: int) -> None:  # noqa: ANN401 - what peft changed
    has = model.peft_config["default"].r
    if has != rank:
        logger.warning(
            "the adapter at hand has rank %d and learns on, lora_rank=%d or not", has, rank
        )
    for name, weight in model.named_parameters():
        weight.requires_grad_("lora_" in name)


def save_adapter(model: nn.Module, folder: Path, base: Base) -> None:
    """Write the adapter of a model, without the model."""
    _peft()
    from peft import get_peft_model_state_dict

    config: LoraConfig = model.peft_config["default"]  # type: ignore[assignment, index]
    stated = config.to_dict()  # type: ignore[no-untyped-call]
    _write(folder / ADAPTER, stated | {"target_modules": sorted(stated["target_modules"])})
    weights = {
        name: weight.contiguous() for name, weight in get_peft_model_state_dict(model).items()
    }
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    reading = None if base.reading is None else asdict(base.reading)
    _write(folder / BASE, base._asdict() | {"reading": reading})


def _write(path: Path, stated: dict[str, Any]) -> None:
    path.write_text(json.dumps(stated, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def base_of(folder: Path) -> Base:
    """Whose adapter a folder holds.

    Raises:
        EncoderError: it does not say.
    """
    try:
        stated = json.loads((folder / BASE).read_text(encoding="utf-8"))
        reading = stated.get("reading")
        return Base(
            name=str(stated["name"]),
            version=str(stated["version"]),
            reading=None if reading is None else Reading(**reading),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EncoderError(
            f"{folder} holds a LoRA adapter but does not say of which model ({BASE}: {error})"
        ) from error


def adapt(
    load: Callable[[str, Reading], AnyEncoder], name: str, folder: Path, reading: Reading
) -> AnyEncoder:
    """The encoder whose adapter lies in a folder, with that adapter.

    Args:
        load: reads an encoder by its name.
        name: of the adapter, as typed.
        folder: of the adapter.
        reading: of the encoder; it need not be the one it had when the adapter was learnt.

    Raises:
        EncoderError: the encoder is not what it was when the adapter was learnt, or the folder
            holds half an adapter.
    """
    base = base_of(folder)
    encoder = load(base.name, reading)
    found = encoder.version_read(base.reading or reading)
    if found != base.version:
        raise EncoderError(
            f"{folder} holds an adapter of {base.name} as it was when it was learnt (version "
            f"{base.version}); what goes by that name now is version {found}"
        )
    load_adapter(encoder.tower.model, folder)
    encoder.exact_version = _version(encoder.exact_version, folder)
    encoder.name, encoder.base = name, base
    return encoder


def _version(without: str, folder: Path) -> str:
    """Of an encoder with the adapter in a folder, from its version without."""
    stated = json.loads((folder / ADAPTER).read_text(encoding="utf-8"))
    digest = hashlib.sha256(without.encode())
    digest.update(json.dumps([stated[name] for name in FOLLOWED]).encode())
    digest.update((folder / WEIGHTS).read_bytes())
    return digest.hexdigest()[:16]


def load_adapter(model: nn.Module, folder: Path) -> None:
    """Put the adapter in a folder on the model it was learnt on.

    Raises:
        EncoderError: the folder holds another kind of adapter, half of one, or one for another
            model.
        SettingsError: peft is not installed.
    """
    config_class, inject = _peft()
    from peft import set_peft_model_state_dict

    try:
        weights = load_file(folder / WEIGHTS)
        inject(config_class(**_stated(folder, config_class().to_dict())), model)
        found: Any = set_peft_model_state_dict(model, weights)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise EncoderError(f"{folder} cannot be read as a LoRA adapter: {reason}") from error
    _spare_casts(model)
    model.requires_grad_(False)
    if strangers := [
        *found.unexpected_keys,
        *(key for key in found.missing_keys if "lora_" in key),
    ]:
        raise EncoderError(
            f"{folder} holds an adapter of another model: {strangers[0]} does not fit"
        )


def _stated(folder: Path, usual: dict[str, Any]) -> dict[str, Any]:
    """What makes an adapter, of all that its configuration says.

    Args:
        folder: of the adapter.
        usual: what a configuration says by itself.

    Raises:
        ValueError: the rank is out of range, layers are not named but described by a pattern,
            which could take for ever to be looked for, or something is asked for that is not
            followed and would change the vectors.
    """
    stated = json.loads((folder / ADAPTER).read_text(encoding="utf-8"))
    rank, alpha, targets = (stated[key] for key in ("r", "lora_alpha", "target_modules"))
    if not 1 <= rank <= MOST_RANK:
        raise ValueError(f"its rank is {rank}, expected 1 to {MOST_RANK}")
    if not isinstance(targets, list) or not all(isinstance(name, str) for name in targets):
        raise ValueError(f"its target_modules are {targets!r}, expected a list of names")
    _refuse_unusual(stated, usual)
    return {"r": rank, "lora_alpha": alpha, "target_modules": targets}


def _refuse_unusual(stated: dict[str, Any], usual: dict[str, Any]) -> None:
    if stated.get("init_lora_weights") in BEGINNINGS:
        stated = stated | {"init_lora_weights": True}
    for name in sorted(stated.keys() - {*FOLLOWED, *WITHOUT_EFFECT}):
        if (stated[name] or None) != (usual.get(name) or None):
            raise ValueError(
                f"its {name} is {stated[name]!r}, which may change vectors and is not followed; "
                "expected peft's default"
            )


def _peft() -> tuple[Any, Any]:
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise SettingsError("LoRA needs peft; pip install 'maeum[lora]'") from error
    return LoraConfig, inject_adapter_in_model
