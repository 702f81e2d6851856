"""Studies: many runs as data, one table out of them, beside what was published.

    from maeum.studies.running import run_study

    study = named("table6")                      # or Study.load("mine.yaml")
    outcome = run_study(study, corpus, "studies/table6")

`grid` says what an experiment is, `paper` has the published ones, `partings` and `planning` who
trains on what, `encoding` the vectors all runs share, `running` trains, `folder` and `results`
keep, `showing` and `report` tell.
"""

from maeum.studies.grid import Cell, Study
from maeum.studies.paper import STUDIES, named

__all__ = ["STUDIES", "Cell", "Study", "named"]
