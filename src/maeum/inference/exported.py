"""What `maeum export` wrote: a classifier whose network and encoders are graphs, without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from maeum.encoders import kept_at, speech_encoders, text_encoders
from maeum.encoders.graphs.engines import Format, Graph, open_graph
from maeum.engine import Engine, is_pretrained
from maeum.errors import EncoderError, RunError
from maeum.features import Features
from maeum.inference.arrays import Places
from maeum.inference.classifier import Classifier
from maeum.inference.fetching import EXPORTED, foreign_model, is_builtin, local_folder
from maeum.inference.graph_inputs import graph_inputs
from maeum.inference.logits import builtin_classifier
from maeum.inference.makeup import Makeup

FORMAT = 1
"""Raised when a reader of older folders would misread a new one."""

HEAD = "head"
"""Name of the files of the network's graph, without ending."""

VOICE = "voice.npy"
"""The usual spread within a voice, of networks that compare voices."""


def is_exported(folder: Path) -> bool:
    """Whether a folder holds an exported run."""
    return (folder / EXPORTED).is_file()


def classifier_of(name: str | Path, *, engine: Engine | None = None) -> Classifier:
    """The classifier in a folder, or of that name on the model hub.

    An exported one computes without torch. A classifier of recordings that others published is
    one too, and so is `builtin:starter`.

    Args:
        name: of the folder, on the hub, or of a built-in one.
        engine: that computes the pretrained encoders of a run; None: the one it was trained with.

    Raises:
        RunError: the folder holds none, or the name cannot be fetched; or an exported one is to
            be computed by another engine.
    """
    if is_builtin(str(name)):
        return builtin_classifier(str(name), engine=engine)
    folder = local_folder(str(name))
    if is_exported(folder):
        return _of_engine(ExportedClassifier.open(folder), engine)
    if foreign_model(folder):
        from maeum.inference.published import PublishedClassifier

        return PublishedClassifier.open(str(name), engine=engine)
    from maeum.inference.trained import EmotionClassifier

    return EmotionClassifier.from_pretrained(name, engine=engine)


def _of_engine(exported: ExportedClassifier, asked: Engine | None) -> ExportedClassifier:
    own = Engine(exported.told["engine"], exported.told["precision"])
    if asked not in (None, own):
        raise RunError(
            f"what was exported for {own.name} in {own.precision} answers with nothing else; leave "
            "engine and precision out, or export the run anew"
        )
    return exported


class ExportedClassifier(Classifier):
    """Answers for recordings, texts, or both, by graphs.

    Attributes:
        told: what `exported.json` says: engine, precision, how the graphs were measured.
    """

    def __init__(self, folder: Path, told: Mapping[str, Any], network: Graph) -> None:
        super().__init__(Makeup.from_dict(told))
        self.told = told
        self._folder, self._network = folder, network

    @classmethod
    def open(cls, folder: str | Path) -> ExportedClassifier:
        """The classifier in a folder that `maeum export` wrote.

        Raises:
            RunError: the folder is broken, or of another version of maeum.
            SettingsError: what computes it is not installed.
        """
        folder = Path(folder).absolute()
        told = _told_in(folder)
        try:
            return cls(folder, told, open_graph(folder, HEAD, told["engine"], "float32"))
        except EncoderError as error:
            raise RunError(str(error)) from error
        except (KeyError, TypeError, ValueError) as error:
            raise _broken(folder, error) from error

    def _encoders(self, side: str) -> tuple[Any, ...]:
        cards = self.makeup.cards.get(side, ())
        return tuple(self._encoder(side, place, card) for place, card in enumerate(cards))

    def _encoder(self, side: str, place: int, card: Mapping[str, Any]) -> Any:  # noqa: ANN401
        if is_pretrained(str(card["name"])):
            found = _graph_class(side).open(self._folder / kept_at(side, place))
        else:
            found = {"speech": speech_encoders, "text": text_encoders}[side](card["name"])[0]
        if (found.version, found.dim) != (card["version"], card["dim"]):
            raise RunError(
                f"{self._folder} was exported with {card['name']} version {card['version']}, "
                f"this is version {found.version}; export the run again"
            )
        return found

    def _chances(self, features: Features, places: Places) -> NDArray[np.float32]:
        return self._network(graph_inputs(features, self.makeup, places))

    @property
    def usual_spread(self) -> NDArray[np.float32]:
        """(width,) spread of the speech vectors within a voice, where voices are compared."""
        try:
            return np.load(self._folder / VOICE, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise _broken(self._folder, error) from error


def _graph_class(side: str) -> Any:  # noqa: ANN401 - either of two classes
    from maeum.encoders.graphs.speech import GraphSpeech
    from maeum.encoders.graphs.text import GraphText

    return {"speech": GraphSpeech, "text": GraphText}[side]


def _told_in(folder: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((folder / EXPORTED).read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise ValueError(f"its format is {told['format']}, this version reads {FORMAT}")
        if told["engine"] not in get_args(Format):
            raise ValueError(f"its engine {told['engine']!r} is unknown")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _broken(folder, error) from error
    return told


def _broken(folder: Path, error: Exception) -> RunError:
    return RunError(f"{folder} cannot be read as an exported run ({error}); export the run again")
