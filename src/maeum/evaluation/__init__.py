"""How well a run does: numbers with intervals, what they rest on, pictures, a report."""

from maeum.evaluation.compare import Comparison
from maeum.evaluation.evaluate import Evaluation, evaluate
from maeum.evaluation.pairing import compare_runs

__all__ = ["Comparison", "Evaluation", "compare_runs", "evaluate"]
