"""A run becomes a folder that answers without torch, if it answers as the run does."""

from maeum.exporting.export import Exported, export

__all__ = ["Exported", "export"]
