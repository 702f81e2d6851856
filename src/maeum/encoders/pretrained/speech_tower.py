"""The tower of a speech encoder: prepared waves to vectors over time, each clip by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from maeum.encoders.pretrained.computing import picked_layers
from maeum.encoders.pretrained.frames import Frames
from maeum.encoders.pretrained.speech_families import Config, Family
from maeum.encoders.pretrained.tower import Tower


class SpeechTower(Tower):
    """The encoder of a transformers model, and which of its layers are wanted.

    Args:
        model: the encoder alone.
        family: it belongs to; what differs between models is asked of it.
        layers: `last`, the number of one (0: what enters the first), or `weighted`: all.
        name: for messages.

    Raises:
        EncoderError: the model has no such layer.
    """

    def __init__(self, model: Any, family: Family, layers: str, name: str) -> None:  # noqa: ANN401
        super().__init__(model)
        self.family = family
        self._config: Config = model.config
        self._depth = self._config.num_hidden_layers
        self._picked = picked_layers(layers, self._depth, name)
        for front in self.convolutions():
            _spare_the_wave_a_gradient(front)

    @property
    def layers(self) -> int:
        """How many layers' vectors it gives."""
        return len(self._picked)

    @property
    def dim(self) -> int:
        """Length of one layer's vector."""
        return int(self._config.hidden_size)

    def convolutions(self) -> Iterable[nn.Module]:
        """The layers that hear the waveform; none where the model takes spectra."""
        return [self.model.get_submodule(self.family.front)] if self.family.front else []

    def forward(
        self, values: Float[Tensor, "batch ..."], keep: Bool[Tensor, "batch step"]
    ) -> Frames:
        """Vectors of every clip as if it stood alone.

        Args:
            values: padded waves or spectra, as `PretrainedSpeech.prepare` makes them.
            keep: False where a step is padding.
        """
        steps = keep.sum(dim=1)
        exact = self.family.exact(self._config)
        states = self._states(values, keep.long()) if exact else self._by_length(values, steps)
        moments = torch.arange(states.shape[2], device=states.device)
        return Frames(states, moments < self.family.frames(self._config, steps)[:, None])

    def alone(
        self, values: Float[Tensor, "one ..."], mask: Tensor | None
    ) -> Float[Tensor, "one layer time dim"]:
        """Vectors of one clip, for a graph that any clip may go through.

        Args:
            values: its wave or spectra.
            mask: 0 where spectra are padding; None: there is none.
        """
        return self._states(values, mask)

    def _states(self, values: Tensor, mask: Tensor | None) -> Float[Tensor, "batch layer time dim"]:
        """What the layers wanted give, the last one as the model itself gives it: normalised."""
        below_too = self._picked != (self._depth,)
        given = self.model(values, attention_mask=mask, output_hidden_states=below_too)
        states = dict(enumerate(given.hidden_states if below_too else ()))
        states[self._depth] = given.last_hidden_state
        return torch.stack([states[layer] for layer in self._picked], dim=1)

    def _by_length(self, values: Tensor, steps: Tensor) -> Float[Tensor, "batch layer time dim"]:
        """Clips of one length together, so that none is padded."""
        alone: dict[int, Tensor] = {}
        for length in steps.unique().tolist():
            rows = (steps == length).nonzero().flatten()
            states = self._states(values[rows, :length], None).transpose(1, 2)
            alone.update(zip(rows.tolist(), states, strict=True))
        padded = pad_sequence([alone[row] for row in range(len(values))], batch_first=True)
        return padded.transpose(1, 2)


def _spare_the_wave_a_gradient(front: Any) -> None:  # noqa: ANN401 - a front end of transformers
    """Without this, frozen convolutions are gone through backwards, to the samples themselves.

    transformers wants it for reentrant gradient checkpointing, which is not used here.
    """
    front._requires_grad = False
