"""What pretrained encoders of recordings and of sentences have in common."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from maeum.encoders import Reading, Standardize, findable
from maeum.encoders.pretrained.computing import answering, answering_device
from maeum.encoders.pretrained.frames import Frames
from maeum.encoders.pretrained.loading import UNREADABLE, digests, fingerprint, first_line
from maeum.encoders.pretrained.lora import Base, has_adapter, save_adapter
from maeum.encoders.pretrained.native import has_bfloat16
from maeum.encoders.pretrained.tower import Tower
from maeum.engine import Engine, Precision
from maeum.errors import EncoderError, MaeumError
from maeum.files import files_written_aside

DEVICE_FAILS = (torch.OutOfMemoryError, getattr(torch, "AcceleratorError", torch.OutOfMemoryError))
"""What is raised where a model is too large for an accelerator, or too new; torch 2.8 has both."""

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
"""A wave or a sentence."""

AnyTower = TypeVar("AnyTower", bound=Tower)


class Pretrained(ABC, Generic[Item, AnyTower]):
    """A tower with what it takes to name it, ask it and write it.

    Attributes:
        name: as typed.
        exact_version: changes when its vectors in float32 do; not while tuning.
        base: what a LoRA adapter on it would belong to.
        tower: the model.
        engine: that it answers with.
        only_answers: whether it was hastened, and cannot learn any more.
    """

    standardize: Standardize = "each"
    cheap = False
    engine = Engine()
    only_answers = False

    def __init__(self, name: str, reading: Reading, folder: Path, tower: AnyTower) -> None:
        self.name, self.tower = name, tower
        self._folder, self._files = folder, digests(folder)
        self.exact_version = self.version_read(reading)
        self.base = Base(findable(name), self.exact_version, reading)

    @property
    def dim(self) -> int:
        """Length of one layer's vector."""
        return self.tower.dim

    @property
    def layers(self) -> int:
        """How many layers' vectors stand one after another in what `encode` gives."""
        return self.tower.layers

    @property
    @abstractmethod
    def at_once(self) -> int:
        """How many items `encode` is best given at once."""

    @property
    def threaded(self) -> bool:
        """Whether `encode` gains from being called by several threads at once."""
        return False

    def version_read(self, reading: Reading) -> str:
        """The version, without any adapter, of the same weights read in some way."""
        return fingerprint(self._files, *self._salt(reading))

    def hasten(self, precision: Precision) -> None:
        """From now on only answer, as fast as torch can on this machine; see `packed`.

        Where the machine has no bfloat16 it answers in float32, and says so.
        """
        device = answering_device(self.tower)
        if precision == "bfloat16" and not has_bfloat16(device):
            logger.warning(
                "this machine (%s) does not compute in bfloat16; %s answers in float32",
                device.type,
                self.name,
            )
            precision = "float32"
        self.tower.hasten(getattr(torch, precision), packed=device.type == "cpu")
        self.engine, self.only_answers = Engine("torch", precision), True

    @property
    def version(self) -> str:
        """Changes when the vectors do, which are others in another precision."""
        return self.engine.version_of(self.exact_version)

    def save(self, folder: Path) -> None:
        """Write what `load` reads, in the layout of the hub, each file whole or not at all.

        Of weights with a LoRA adapter the adapter alone is written.
        """
        with files_written_aside(folder) as aside:
            if has_adapter(self.tower.model):
                save_adapter(self.tower.model, aside, self.base)
            else:
                self._write_weights(aside)
                self._write_beside_weights(aside)

    def _write_weights(self, folder: Path) -> None:
        states = self.tower.model.state_dict()
        weights = {name: values.cpu().contiguous() for name, values in states.items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    @abstractmethod
    def _salt(self, reading: Reading) -> tuple[str, ...]:
        """What decides the vectors beside the files: the code, and how they are read."""

    @abstractmethod
    def _write_beside_weights(self, folder: Path) -> None:
        """Write the configuration, and what prepares waves or sentences."""

    @abstractmethod
    def _given(self, items: Sequence[Item]) -> Iterable[tuple[list[int], Frames]]:
        """Places of some items and what the tower gives of them, until all had their turn."""

    def _means(self, items: Sequence[Item]) -> NDArray[np.float32]:
        """(item,) -> (item, layers * dim), means over time."""
        vectors = np.empty((len(items), self.layers * self.dim), dtype=np.float32)
        with self._blamed(), answering(self.tower):
            for places, given in self._given(items):
                vectors[places] = given.mean().cpu().numpy()
        return vectors

    def _over_time(self, items: Sequence[Item]) -> list[NDArray[np.float32]]:
        """(item,) -> (item,) of (time, dim), of one layer; raises where all are read."""
        if self.layers != 1:
            raise EncoderError(
                f"frames of {self.name} were asked for with all its layers; frames need one layer: "
                "choose layers=last or the number of one"
            )
        found: dict[int, NDArray[np.float32]] = {}
        with self._blamed(), answering(self.tower):
            for places, (values, keep) in self._given(items):
                for place, frames, there in zip(places, values[:, 0], keep, strict=True):
                    found[place] = frames[there].cpu().numpy()
        return [found[place] for place in range(len(items))]

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """What goes wrong while the model computes, as one sentence about it."""
        try:
            yield
        except MaeumError:
            raise
        except DEVICE_FAILS as error:
            raise EncoderError(
                f"{self.name} cannot be computed on the device ({first_line(error)}); with "
                "CUDA_VISIBLE_DEVICES= it computes on the processor"
            ) from error
        except UNREADABLE as error:
            raise EncoderError(
                f"{self.name} fails at what it is given ({first_line(error)}); its config.json may "
                "describe another model: fetch it again, or take another encoder"
            ) from error
