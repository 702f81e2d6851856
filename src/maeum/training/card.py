"""The model card of a run: what it is, how well it did, what it must not be used for."""

from __future__ import annotations

from collections.abc import Iterator

from maeum.config import Settings
from maeum.corpus.splits import MEANING
from maeum.evaluation import Evaluation
from maeum.evaluation.calibration import FEWEST
from maeum.evaluation.writing import summary
from maeum.inference import Run
from maeum.inference.temperatures import resting_on

_CARD = """\
# {name}

Tells {emotions} apart from {modality}.

{numbers}

- Encoders: {encoders}; {learning}
- Trained on {used} utterances of a corpus read by `{reader}` (fingerprint `{fingerprint}`)
- Split `{protocol}`, seed {split_seed}: {meaning}
- Seed {seed}

## Before you rely on it

{warnings}
{sureness}
- What a person feels cannot be read off a recording; this names how an utterance sounds and reads
  to the people who labelled the corpus. Do not decide about people with it.

## Use

```python
from maeum import EmotionClassifier

model = EmotionClassifier.from_pretrained("{name}")
```
"""


def model_card(run: Run, evaluation: Evaluation | None) -> str:
    """The card as Markdown.

    Args:
        run: with weights and `maeum.yaml`.
        evaluation: of the test part; None where nothing was tested.
    """
    settings, card = run.settings, run.card
    sides = run.model.network.inputs
    warnings = evaluation.leaks.sentences if evaluation else ["nothing was tested"]
    return _CARD.format(
        name=run.folder.name,
        emotions=", ".join(run.model.emotions.names),
        modality=" and ".join(sides),
        numbers=summary(evaluation)
        if evaluation
        else "It was trained on everything, so there is "
        "no number to give: test it on another corpus with `maeum evaluate`.",
        encoders=", ".join(f"{side} `{getattr(settings, side)}`" for side in sides),
        used=f"{card['used']['train']:,}",
        reader=card["corpus"]["reader"],
        fingerprint=card["corpus"]["fingerprint"],
        protocol=card["split"]["protocol"],
        split_seed=card["split"]["seed"],
        learning=_learning(settings),
        meaning=evaluation.meaning if evaluation else MEANING[card["split"]["protocol"]],
        seed=settings.seed,
        sureness="\n".join(f"- {sentence}" for sentence in _sureness(run, evaluation)),
        warnings="\n".join(f"- {warning}" for warning in warnings)
        or "- Test and training share no voice, sentence or recording.",
    )


def _learning(settings: Settings) -> str:
    """What learnt, from what, and how the sides are joined."""
    tuned = {"frozen": "frozen", "lora": "tuned by LoRA", "full": "tuned"}[settings.tune]
    more = {
        f"layers {settings.layers}": settings.layers != "last",
        f"fusion {settings.fusion}": settings.fusion != "concat",
        f"{settings.context} previous utterances": settings.context > 0,
        f"started from `{settings.start}`": settings.start is not None,
    }
    return ", ".join([tuned, *(words for words, holds in more.items() if holds)])


def _sureness(run: Run, evaluation: Evaluation | None) -> Iterator[str]:
    """Whether probabilities can be believed: temperatures, and what came of them in the test."""
    found = run.model.makeup.temperatures
    given = [f"{what} {value:.2f}" for what, value in found.items()]
    left = [what for what in resting_on(run.model.sides) if what not in found]
    if given:
        yield (
            f"Probabilities were calibrated on {run.card['used']['validation']:,} utterances of "
            f"the validation part: logits are divided by a temperature ({', '.join(given)})."
        )
    if left:
        yield (
            f"Probabilities of answers from {' or '.join(left)} are the network's own and not "
            f"calibrated: {_why_not(run)}."
        )
    if evaluation and evaluation.calibration:
        yield f"On the test: {evaluation.calibration.sentence()}."


def _why_not(run: Run) -> str:
    held_back = run.card["used"]["validation"]
    if not held_back:
        return "the run has no validation part"
    return (
        f"of the validation part ({held_back:,} utterances) fewer than {FEWEST} had it, or all "
        "were answered right"
    )
