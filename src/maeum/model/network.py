"""The paper's network: features side by side, two linear layers, softmax.

    x = [A ; T]              (1)   speech and text features, concatenated
    h = ReLU(W1 x + b1)      (2)
    y = W2 h + b2            (3)   logits, one per emotion
    p = softmax(y)           (4)

"Efficient emotion classification with small amounts of speech and text, multimodal",
doi 10.3745/TKIPS.2024.13.4.174. Beyond the paper, one network also takes speech alone or text
alone: a learnt vector stands in for what is missing, and some pairs are trained with one half
hidden. A side may have several encoders, and of each several layers (`sides`); other ways to join
the sides replace one or more of the equations (`fusion`); previous turns of a dialogue add to x
(`context`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from maeum.encoders.pretrained.frames import Frames
from maeum.model.context import PreviousTurns
from maeum.model.fusion import FUSIONS, Sides
from maeum.model.shape import SIDES, NetworkShape
from maeum.model.sides import Moments, SideInput, drawn_to_hide
from maeum.model.starting import parts_in_common


class Answer(NamedTuple):
    """What a network gives.

    Attributes:
        loss: where labels were given.
        logits: (batch, emotion).
    """

    loss: Tensor | None
    logits: Tensor


class Network(nn.Module):
    """Equations (1) to (4) over features of speech, text, or both, on torch alone.

    Args:
        config: what it is made of.
    """

    config: NetworkShape

    def __init__(self, config: NetworkShape) -> None:
        nn.Module.__init__(self)
        self.config = config
        self._build(config)

    def _build(self, config: NetworkShape) -> None:
        kind = FUSIONS[config.fusion]
        stands_in = not kind.reads_frames or config.context > 0  # else (1) needs no vector
        inputs = {side: SideInput(c, stands_in=stands_in) for side, c in config.cards.items()}
        self.inputs = nn.ModuleDict(inputs)
        self.fusion = kind(config)
        if config.context:
            width = sum(config.dims.values())
            self.turns = PreviousTurns(width, config.hidden_size, config.context)

    def side(self, name: str) -> SideInput:
        """The input of one modality the network has, `speech` or `text`."""
        return cast(SideInput, self.inputs[name])

    def forward(
        self,
        speech: Float[Tensor, "batch speech"] | None = None,
        text: Float[Tensor, "batch text"] | None = None,
        has_speech: Bool[Tensor, " batch"] | None = None,
        has_text: Bool[Tensor, " batch"] | None = None,
        labels: Int64[Tensor, " batch"] | None = None,
        frames: Mapping[str, list[Moments]] | None = None,
        context: Mapping[str, Tensor] | None = None,
    ) -> Answer:
        """Logits, and the loss where labels are given.

        Args:
            speech: what the speech encoders gave, one after another, each layer after layer;
                None where there is none.
            text: what the text encoders gave, likewise.
            has_speech: which rows were heard; None: all, if `speech` is given.
            has_text: which rows have a text, likewise.
            labels: class indices.
            frames: side -> per encoder (values (batch, time, dim), keep (batch, time)), for
                fusion `cross`; others do not look at them. A side without frames is a sequence
                of its one vector; a side without a vector has the mean of its frames.
            context: `speech`, `text` (batch, turn, width) and `has_speech`, `has_text` (batch,
                turn) of up to `config.context` previous turns, the nearest last; None: nothing
                was said before.
        """
        given = {"speech": (speech, has_speech), "text": (text, has_text)}
        sides = self._sides(given, frames or {}, context or {})
        x = self.fusion.join(sides)  # (1) x = [A ; T]
        h = self.fusion.hide(x)  # (2) h = ReLU(W1 x + b1)
        y = self.fusion.answer(h, sides.present)  # (3) y = W2 h + b2
        return Answer(self._loss(y, labels), y)

    @torch.inference_mode()
    def probabilities(self, **inputs: Any) -> Float[Tensor, "batch emotion"]:  # noqa: ANN401
        """Equation (4): p = softmax(y), rows summing to 1; arguments of `forward`."""
        self.eval()
        return torch.softmax(self(**inputs).logits, dim=1)

    @torch.no_grad()
    def start_from(self, other: Network) -> list[str]:
        """Copy the weights of another network that fit.

        Returns:
            Names of the parts copied: speech, text, context, hidden, output.
        """
        mine, theirs = self._parts(), other._parts()
        common = [name for name in parts_in_common(self.config, other.config) if name in mine]
        for name in common:
            for weight, values in mine[name].items():
                values.copy_(theirs[name][weight])
        return common

    def _parts(self) -> dict[str, dict[str, Tensor]]:
        """The weights by what they are for, to be written to."""
        parts = {side: self.side(side).state_dict() for side in self.inputs}
        if self.config.context:
            parts["context"] = self.turns.state_dict()
        output = self.fusion.output.state_dict(prefix="output.")
        every = self.fusion.state_dict()
        hidden = {name: weight for name, weight in every.items() if name not in output}
        return {**parts, "hidden": hidden, "output": output}

    def _sides(
        self,
        given: Mapping[str, tuple[Tensor | None, Tensor | None]],
        frames: Mapping[str, list[Moments]],
        context: Mapping[str, Tensor],
    ) -> Sides:
        """What is known of each side the network has, and of the turns before."""
        raw, had = self._raw(given, frames)
        lost = self._lost(had)
        present = {side: had[side] & ~lost[side] for side in had}
        vectors = {side: self.side(side)(raw[side], present[side]) for side in raw}
        return Sides(
            vectors=vectors,
            present=present,
            context=self._context(vectors, lost, context),
            frames=self._frames(raw, frames),
        )

    def _raw(
        self,
        given: Mapping[str, tuple[Tensor | None, Tensor | None]],
        frames: Mapping[str, list[Moments]],
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Features and presence of each side; of an absent one anything, and False."""
        found = {
            side: (_vectors(given[side][0], frames.get(side)), given[side][1]) for side in given
        }
        batch = next(values.shape[0] for values, _ in found.values() if values is not None)
        filled = {side: self._filled(side, *found[side], (batch,)) for side in self.inputs}
        raw = {side: values for side, (values, _) in filled.items()}
        return raw, {side: has for side, (_, has) in filled.items()}

    def _filled(
        self, side: str, values: Tensor | None, has: Tensor | None, shape: tuple[int, ...]
    ) -> tuple[Tensor, Tensor]:
        """Values and presence, where one or both may not have been given."""
        mean = self.side(side).mean
        if values is None:
            return mean.expand(*shape, -1), _all(False, shape, mean)
        return values, _all(True, shape, mean) if has is None else has

    def _lost(self, had: dict[str, Tensor]) -> dict[str, Tensor]:
        """Side -> rows it is hidden in, while training."""
        if self.training and len(had) == len(SIDES):
            return drawn_to_hide(had, self.config.modality_dropout)
        return {side: torch.zeros_like(has) for side, has in had.items()}

    def _context(
        self, vectors: dict[str, Tensor], lost: dict[str, Tensor], context: Mapping[str, Tensor]
    ) -> Tensor:
        """The vector c; a row that lost a side lost it in the turns before as well."""
        some = next(iter(lost.values()))
        batch = some.shape[0]
        if not self.config.context:
            return torch.empty(batch, 0, device=some.device)
        shape = (batch, next((x.shape[1] for x in context.values()), 1))
        previous, there = [], []
        for side in self.inputs:
            own = context.get(side), context.get(f"has_{side}")
            values, has = self._filled(side, *own, shape)
            there.append(has & ~lost[side][:, None])
            previous.append(self.side(side)(values, there[-1]))
        now, before = torch.cat([*vectors.values()], dim=1), torch.cat(previous, dim=2)
        return self.turns(now, before, torch.stack(there).any(dim=0))

    def _frames(
        self, raw: dict[str, Tensor], frames: Mapping[str, list[Moments]]
    ) -> dict[str, list[Moments]]:
        """Of each side, standardised; none where the fusion does not read them."""
        if not self.fusion.reads_frames:
            return {}
        inputs = {side: self.side(side) for side in raw}
        return {
            side: own.standard_moments(frames.get(side) or own.as_moments(raw[side]))
            for side, own in inputs.items()
        }

    def _loss(self, y: Tensor, labels: Tensor | None) -> Tensor | None:
        """Cross-entropy, a mean over rows even where they weigh differently.

        Dividing by the sum of their weights, as torch does, would make the halves of a batch,
        learnt on two processes, count by the emotions they happen to hold.
        """
        if labels is None:
            return None
        weights = self.config.class_weights
        losses = functional.cross_entropy(
            y.float(),
            labels,
            weight=None if weights is None else torch.tensor(weights, device=y.device),
            label_smoothing=self.config.label_smoothing,
            reduction="none",
        )
        return losses.mean()


def _vectors(values: Tensor | None, frames: list[Moments] | None) -> Tensor | None:
    """The vectors given, else the means of the frames given."""
    if values is not None or not frames:
        return values
    return torch.cat([Frames(one[:, None], keep).mean() for one, keep in frames], dim=1)


def _all(value: bool, shape: tuple[int, ...], like: Tensor) -> Tensor:
    return torch.full(shape, value, dtype=torch.bool, device=like.device)
