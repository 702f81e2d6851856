"""How well a run does: numbers with intervals, what they rest on, pictures, a report."""

from maeum.evaluation.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
