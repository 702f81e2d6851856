"""Where pretrained models lie: a folder, a folder of folders, the model hub's cache, the hub."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from maeum.encoders.known import KNOWN, Side, closest
from maeum.engine import BUILTIN, PACKAGED
from maeum.errors import EncoderError

BESIDE_US = Path(__file__).parents[1] / "builtin"
"""Where encoders lie that travel with the package."""

VARIABLE = "MAEUM_ENCODERS"
"""Names a folder of encoders, each in a folder of its name."""

WEIGHTS = (
    re.compile(r"model\.safetensors"),
    re.compile(r"model(-\d{5}-of-\d{5}\.safetensors|\.safetensors\.index\.json)"),
    re.compile(r"pytorch_model\.bin"),
    re.compile(r"pytorch_model(-\d{5}-of-\d{5}\.bin|\.bin\.index\.json)"),
)
"""Names of files of weights, whole and in parts; the first kind that a folder has is read."""

VOCABULARY = re.compile(r"tokenizer\.json|vocab\..*|.*\.(model|spm|tiktoken)")
"""Names of files that split sentences into tokens."""

SHARD = re.compile(r".*-of-(\d{5})\..*")
"""Names of files that hold a part of the weights, of so many."""

MET = "met.parquet"
"""Of an encoder that a run tuned: hashes of what it was trained on; no vector depends on it."""

BESIDE = re.compile(
    rf"config\.json|preprocessor_config\.json|processor_config\.json|added_tokens\.json|merges\.txt"
    rf"|tokenizer_config\.json|special_tokens_map\.json|{VOCABULARY.pattern}"
)
"""Names of the files that are needed beside the weights."""

PATIENCE_S = 5.0
"""How long the model hub may take to say what it has."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sought:
    """A kind of model that is looked for.

    Attributes:
        kind: what it is called, with its article.
        full: what it is called where it cannot be had.
        instead: what can be done then.
        side: what it encodes, of encoders.
        reads: whether it has a vocabulary.
        beside: names of further files that are fetched.
    """

    kind: str
    full: str
    instead: str
    side: Side | None = None
    reads: bool = False
    beside: tuple[str, ...] = ()


def _encoder(side: Side, other: Side, builtin: str, other_builtin: str) -> Sought:
    instead = (
        f"name its folder (--{side} FOLDER), put it below ${VARIABLE}, or take {builtin} (and for "
        f"{other} {other_builtin}), without a download"
    )
    return Sought("an encoder", f"{side} encoder", instead, side, reads=side == "text")


_ENCODERS: dict[Side, Sought] = {
    "speech": _encoder("speech", "text", "builtin:acoustic", "builtin:letters"),
    "text": _encoder("text", "speech", "builtin:letters", "builtin:acoustic"),
}


def find(name: str, side: Side) -> Path:
    """The local folder with configuration and weights of an encoder, fetched if need be.

    Args:
        name: see `find_model`.
        side: what it is to encode.

    Raises:
        EncoderError: it is nowhere, cannot be fetched, or its folder lacks something.
    """
    return find_model(name, _ENCODERS[side])


def find_model(name: str, sought: Sought) -> Path:
    """The local folder with configuration and weights of a model, fetched if need be.

    Looked for as a folder, below `$MAEUM_ENCODERS`, in the model hub's cache and on the hub.

    Args:
        name: on the model hub, `author/model` or `author/model@revision`, or a folder.
        sought: what it is to be.

    Raises:
        EncoderError: it is nowhere, cannot be fetched, or its folder lacks something.
    """
    if not name.strip():
        raise EncoderError(f"{name!r} does not name {sought.kind}; expected a name or a folder")
    folder = named_folder(name)
    if folder is not None:
        return _whole(folder, sought)
    if is_path(name):
        raise EncoderError(_no_folder(name, sought))
    if sought.side is not None:
        _refuse_the_other_side(name, sought.side)
    return _cached(name, sought) or _fetched(name, sought)


def named_folder(name: str) -> Path | None:
    """The folder of that path, or below `$MAEUM_ENCODERS` of that name or the last part of it.

    What travels with the package lies there.
    """
    if name in PACKAGED:
        return BESIDE_US / name.removeprefix(BUILTIN)
    below = _shelf()
    tried = [_path(name)]
    if below is not None:
        tried += [] if is_path(name) else [below / name]
        tried += [below / Path(name).name]
    return next((folder for folder in tried if folder.is_dir()), None)


def cached_folder(name: str, side: Side) -> Path | None:
    """What the model hub's cache has of an encoder of that name, if it is all there."""
    return _cached(name, _ENCODERS[side])


def _cached(name: str, sought: Sought) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    repository, revision = repository_of(name)
    try:
        config = try_to_load_from_cache(repository, "config.json", revision=revision)
    except HFValidationError:
        return None
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return None if _lacks(folder) or _lacks_vocabulary(folder, sought) else folder


def local_folder(name: str, side: Side) -> Path | None:
    """Where an encoder lies complete on this machine; None where it does not."""
    folder = named_folder(name)
    if folder is not None:
        return None if _lacks(folder) else folder
    return cached_folder(name, side)


def places() -> tuple[str, ...]:
    """Where an encoder is looked for, in order, in words."""
    from huggingface_hub import constants

    offline = " (not asked: HF_HUB_OFFLINE is set)" if constants.HF_HUB_OFFLINE else ""
    return (
        "a folder of that path",
        f"below ${VARIABLE}{_where_the_shelf_is()}",
        f"the model hub's cache, {constants.HF_HUB_CACHE}",
        f"the model hub{offline}",
    )


def is_path(name: str) -> bool:
    r"""Whether a name can only be a folder's: the model hub's are `model` and `author/model`.

    >>> [is_path(name) for name in ("klue/bert-base", "./klue", "~/klue", "/x/y", "D:\\klue")]
    [False, True, True, True, True]
    """
    slashes = repository_of(name)[0].count("/")
    looks = name.startswith((".", "/", "~")) or "\\" in name or slashes > 1
    return looks or Path(name).is_absolute()


def repository_of(name: str) -> tuple[str, str | None]:
    """A name on the model hub, and the branch, tag or commit of it that is meant.

    >>> repository_of("beomi/KcELECTRA-base@v2022"), repository_of("klue/bert-base")
    (('beomi/KcELECTRA-base', 'v2022'), ('klue/bert-base', None))
    """
    repository, _, revision = name.partition("@")
    return repository, revision or None


def weights_in(names: Iterable[str]) -> list[str]:
    """Of names of files, those of weights that are read: safetensors, else `.bin`; sorted.

    >>> weights_in(["model.safetensors", "pytorch_model.bin", "tf_model.h5", "config.json"])
    ['model.safetensors']
    """
    names = sorted(names)
    kinds = ([name for name in names if kind.fullmatch(name)] for kind in WEIGHTS)
    return next(filter(None, kinds), [])


def files_that_matter(names: Iterable[str]) -> list[str]:
    """Of names of files, those that decide the vectors: weights, configuration, vocabulary.

    >>> files_that_matter(["README.md", "vocab.txt", "config.json", "modeling.py"])
    ['config.json', 'vocab.txt']
    """
    names = list(names)
    return sorted([*weights_in(names), *filter(BESIDE.fullmatch, names)])


def _path(name: str) -> Path:
    return Path(os.path.expanduser(name))  # a home that nobody has stays as typed


def _shelf() -> Path | None:
    named = os.environ.get(VARIABLE)
    return _path(named) if named else None


def _where_the_shelf_is() -> str:
    below = _shelf()
    if below is None:
        return " (not set)"
    return f", {below}" if below.is_dir() else f", {below} (no such folder)"


def _names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file()]


def _whole(folder: Path, sought: Sought) -> Path:
    lacking = _lacks(folder)
    if lacking:
        nothing = sought.kind.partition(" ")[2]
        raise EncoderError(
            f"{folder} holds no {nothing}, it lacks {lacking}; expected config.json and "
            "model.safetensors (or pytorch_model.bin), as the model hub has them"
        )
    return folder


def _lacks(folder: Path) -> str:
    names = _names_in(folder)
    if "config.json" not in names:
        return "config.json"
    return _lacking_weights(weights_in(names))


def _lacking_weights(names: list[str]) -> str:
    """What the files of weights lack, in words; empty where they are complete."""
    parts = [found[1] for name in names if (found := SHARD.fullmatch(name))]
    if parts and len(parts) != int(parts[0]):
        return "some of its weights"
    return "" if any(not name.endswith(".json") for name in names) else "weights"


def _lacks_vocabulary(folder: Path, sought: Sought) -> bool:
    return sought.reads and not any(map(VOCABULARY.fullmatch, _names_in(folder)))


def _no_folder(name: str, sought: Sought) -> str:
    what = "is a file" if _path(name).is_file() else "does not exist"
    return (
        f"{name} {what}; expected the folder with {sought.kind}'s config.json and weights: name "
        f"another, or where it was moved put it below ${VARIABLE} under the same last name"
    )


def _refuse_the_other_side(name: str, side: Side) -> None:
    known = KNOWN.get(repository_of(name)[0])
    if known is not None and known.side != side:
        raise EncoderError(f"{name} is a {known.side} encoder; give it as --{known.side}")


def _fetched(name: str, sought: Sought) -> Path:
    """The folder in the cache that a model was fetched to."""
    from huggingface_hub import HfApi, constants, snapshot_download

    if constants.HF_HUB_OFFLINE:
        raise _not_had(name, sought, "HF_HUB_OFFLINE is set, so the model hub was not asked")
    repository, revision = repository_of(name)
    with _excused(name, sought):
        found = HfApi().model_info(repository, revision=revision, timeout=PATIENCE_S)
    files = [file.rfilename for file in found.siblings or ()]
    if "config.json" not in files or not weights_in(files):
        raise _not_had(
            name, sought, "on the model hub it has no config.json or no weights for torch"
        )
    logger.info("fetching %s from the model hub, to keep in %s", name, constants.HF_HUB_CACHE)
    with _excused(name, sought):
        folder = snapshot_download(
            repository,
            revision=revision,
            allow_patterns=[*files_that_matter(files), MET, *sought.beside],
        )
    return _whole(Path(folder), sought)


@contextmanager
def _excused(name: str, sought: Sought) -> Iterator[None]:
    """While the model hub is asked: why it does not give what is wanted, as one sentence."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        reason = "its authors want to be asked first: do so on its page, then `hf auth login`"
        raise _not_had(name, sought, reason) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise _not_had(name, sought, "the model hub has none of that name") from error
    except errors.RevisionNotFoundError as error:
        reason = "the model hub has no such branch, tag or commit of it"
        raise _not_had(name, sought, reason) from error
    except (
        errors.HTTPError,  # type: ignore[attr-defined] # of whichever library asks
        errors.FileMetadataError,
        errors.LocalEntryNotFoundError,
        RuntimeError,  # of hf_xet
    ) as error:
        raise _not_had(name, sought, "the model hub cannot be reached") from error


def _not_had(name: str, sought: Sought, reason: str) -> EncoderError:
    meant = None if sought.side is None else closest(name, sought.side)
    hint = f" (did you mean {meant}?)" if meant else ""
    return EncoderError(
        f"{sought.full} {name!r} is not on this machine, and {reason}{hint}; {sought.instead}"
    )
