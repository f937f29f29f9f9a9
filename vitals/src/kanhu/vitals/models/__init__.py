"""Numbers that were fitted elsewhere: tables, their model cards, and how trees among them are walked.

Each `.json` here is one model, written by `kanhu-cloud train` and by nobody's hand. Not here: what a model is asked for
(falls/, beats/, …), and how it is fitted (the county's training).
"""

from kanhu.vitals.models.table import Model, Numbers, TrainedOn, TrainingSet, model_named, person_digest, read_model
from kanhu.vitals.models.trees import Trees

__all__ = ["Model", "Numbers", "TrainedOn", "TrainingSet", "Trees", "model_named", "person_digest", "read_model"]
