"""The network with the encoders it learns together with: waves and tokens in, one emotion out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from transformers.modeling_outputs import SequenceClassifierOutput

from maeum.encoders import tower_key
from maeum.encoders.pretrained.frames import Frames
from maeum.model.pretrained import EmotionNetwork

TowerInputs: TypeAlias = Mapping[str, Mapping[str, Tensor]]
"""Tower -> arguments of its `forward`, for the rows that have its side."""


class WholeNetwork(nn.Module):
    """Towers and a head, trained end to end; every utterance by itself, without its dialogue.

    Attributes:
        head: the network over their vectors.
        towers: `speech-0`, `text-1`, … (side, place among the side's encoders) -> a module whose
            `forward` gives `Frames`.
    """

    accepts_loss_kwargs = False  # as in the head
    _keys_to_ignore_on_save = None  # Trainer asks for it where a checkpoint lacks what is frozen

    def __init__(self, head: EmotionNetwork, towers: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.head = head
        self.towers = nn.ModuleDict(dict(towers))

    def forward(
        self,
        inputs: TowerInputs,
        speech: Float[Tensor, "batch speech"] | None = None,
        text: Float[Tensor, "batch text"] | None = None,
        has_speech: Bool[Tensor, " batch"] | None = None,
        has_text: Bool[Tensor, " batch"] | None = None,
        labels: Int64[Tensor, " batch"] | None = None,
    ) -> SequenceClassifierOutput:
        """Logits, and the loss where labels are given.

        Args:
            inputs: by tower, what `Tunable.prepare` gave for the rows that have its side, in
                their order; a tower that no row has anything for is left out.
            speech: of the speech encoders that are not tuned, one after another.
            text: of the text encoders that are not tuned.
            has_speech: which rows were heard; None: all, if anything of that side is given.
            has_text: which rows have a text, likewise.
            labels: class indices.

        Raises:
            ValueError: a tower is given more or fewer inputs than rows have its side.
        """
        fixed, has = {"speech": speech, "text": text}, {"speech": has_speech, "text": has_text}
        batch = _batch_size([labels, *has.values(), *fixed.values()], inputs)
        arguments: dict[str, Any] = {"labels": labels, "frames": {}}
        for side in self.head.inputs:
            rows = has[side]
            if rows is None:
                rows = self._all(_is_given(side, fixed[side], inputs), batch)
            parts = self._parts(side, inputs, fixed[side], rows)
            arguments[side] = torch.cat([part.mean() for part in parts], dim=1)
            arguments[f"has_{side}"] = rows
            arguments["frames"][side] = [(part.values[:, 0], part.keep) for part in parts]
        return self.head(**arguments)

    def _all(self, value: bool, batch: int) -> Tensor:
        return torch.full((batch,), value, dtype=torch.bool, device=self.head.device)

    def _parts(
        self, side: str, inputs: TowerInputs, fixed: Tensor | None, rows: Tensor
    ) -> list[Frames]:
        """What each encoder of a side has for the batch, in order."""
        own = self.head.side(side)
        tuned = [tower_key(side, place) in self.towers for place in range(len(own.cards))]
        widths = [width for width, learns in zip(own.widths, tuned, strict=True) if not learns]
        if fixed is None:
            fixed = torch.zeros(len(rows), sum(widths), device=rows.device)
        vectors = iter(fixed.split(widths, dim=1))
        return [
            self._run(tower_key(side, place), inputs, rows, card["layers"], card["dim"])
            if tuned[place]
            else _at_once(next(vectors), card["layers"])
            for place, card in enumerate(own.cards)
        ]

    def _run(self, key: str, inputs: TowerInputs, rows: Tensor, layers: int, dim: int) -> Frames:
        """What a tower has for the batch: nothing in rows that lack its side."""
        if key not in inputs:
            return _at_once(torch.zeros(len(rows), layers * dim, device=rows.device), layers)
        given: Frames = self.towers[key](**inputs[key])
        frames = Frames(given.values.float(), given.keep)  # a mean in bfloat16 is a poor one
        if not self.head.fusion.reads_frames:
            frames = _at_once(frames.mean(), layers)
        return Frames(_scattered(frames.values, rows), _scattered(frames.keep, rows))


def _at_once(vectors: Tensor, layers: int) -> Frames:
    """Vectors (batch, layer * dim) as frames of a single moment."""
    there = torch.ones(len(vectors), 1, dtype=torch.bool, device=vectors.device)
    return Frames(vectors.unflatten(1, (layers, -1))[:, :, None], there)


def _scattered(values: Tensor, rows: Tensor) -> Tensor:
    """The values in the rows that are True, in order; zeros elsewhere.

    Raises:
        ValueError: there are not as many.
    """
    places = rows.nonzero()[:, 0]
    if len(places) != len(values):  # torch would put a single one in every row
        raise ValueError(f"{len(values)} input(s) came for {len(places)} row(s) that have the side")
    return values.new_zeros(len(rows), *values.shape[1:]).index_put((places,), values)


def _is_given(side: str, fixed: Tensor | None, inputs: TowerInputs) -> bool:
    return fixed is not None or any(key.startswith(f"{side}-") for key in inputs)


def _batch_size(given: Iterable[Tensor | None], inputs: TowerInputs) -> int:
    """Rows of the batch; where nothing but towers is given they have all of them."""
    towers = (values for tower in inputs.values() for values in tower.values())
    return next(len(values) for values in [*given, *towers] if values is not None)
