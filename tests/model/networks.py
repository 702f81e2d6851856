"""Networks with random weights everywhere, and inputs for them."""

import torch

from maeum.emotions import PAPER
from maeum.model import EmotionNetwork, NetworkConfig

SPEECH, TEXT, HIDDEN = 5, 4, 6
FUSIONS = ("concat", "late", "gated", "cross")


def card(name, dim, *, layers=1, standardize="each", version="1", **more):
    """What `encoders.card` gives, and a key of somebody else's."""
    return {
        "name": name,
        "version": version,
        "dim": dim,
        "layers": layers,
        "standardize": standardize,
        "licence": "of somebody else",
        **more,
    }


def network(seed=0, **config):
    """Stand-ins, standardisation and layer weights are random too, as after training."""
    usual = {
        "emotions": PAPER.to_dict(),
        "speech": [card("s", SPEECH)],
        "text": [card("t", TEXT)],
        "hidden_size": HIDDEN,
    }
    torch.manual_seed(seed)
    made = EmotionNetwork(NetworkConfig(**usual | config))
    with torch.no_grad():
        for weight in made.parameters():
            weight += torch.randn_like(weight) / 2
        for side in made.inputs.values():
            side.mean.normal_()
            side.scale.uniform_(0.5, 1.5)
    return made.eval()


def features(rows=3, seed=1, **widths):
    """Random vectors of both sides."""
    chance = torch.Generator().manual_seed(seed)
    widths = {"speech": SPEECH, "text": TEXT} | widths
    return {side: torch.randn(rows, width, generator=chance) for side, width in widths.items()}


def frames(rows=3, seed=1, *, padding=0):
    """Random sequences of both sides, of 1 to 7 moments, with anything in the padding."""
    chance = torch.Generator().manual_seed(seed)
    made = {}
    for side, dim in {"speech": SPEECH, "text": TEXT}.items():
        lengths = torch.randint(1, 8, (rows,), generator=chance)
        values = torch.randn(rows, 7, dim, generator=chance)
        values = torch.cat([values, torch.full((rows, padding, dim), 9.0)], dim=1)
        made[side] = [(values, torch.arange(7 + padding) < lengths[:, None])]
    return made


def turns(rows=3, seed=2, *, back=2):
    """Random previous turns of both sides; each half is there in two of three."""
    chance = torch.Generator().manual_seed(seed)
    made = {}
    for side, width in {"speech": SPEECH, "text": TEXT}.items():
        made[side] = torch.randn(rows, back, width, generator=chance)
        made[f"has_{side}"] = torch.rand(rows, back, generator=chance) < 2 / 3
    return made


def presence(**rows):
    """`has_speech` and `has_text`."""
    return {f"has_{side}": torch.tensor(present) for side, present in rows.items()}


def taken(inputs, rows):
    """The same rows of every tensor, however deep."""
    if isinstance(inputs, dict):
        return {name: taken(value, rows) for name, value in inputs.items()}
    if isinstance(inputs, list | tuple):
        return type(inputs)(taken(value, rows) for value in inputs)
    return inputs[rows]
