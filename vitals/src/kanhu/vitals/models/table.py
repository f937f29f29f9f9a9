"""A model as a table of numbers, with what it was fitted on: one JSON file, the same bytes from the same training."""

import hashlib
from functools import cache
from importlib import resources
from math import isfinite, prod

import msgspec
import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.errors import ModelRefused

FORMAT = 1
MAX_MODEL_BYTES = 2 * 1024 * 1024
"""A Pi fetches it over a village's link, and keeps it in memory."""


class TrainingSet(msgspec.Struct, frozen=True):
    """One set of recordings that a model has seen."""

    name: str
    licence: str
    """As its README states it; "none stated" where it states none."""
    people: tuple[str, ...]
    """`person_digest` of each: enough to notice that somebody is scored who was fitted on, and no name."""
    recordings: int


class TrainedOn(msgspec.Struct, frozen=True):
    """What a model was fitted on, and with what."""

    sha256: str
    """Of the arrays of every recording used, in their order."""
    sets: tuple[TrainingSet, ...]
    seed: int
    versions: dict[str, str]
    """By package."""


class Numbers(msgspec.Struct, frozen=True):
    """One array."""

    shape: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what is no array of numbers."""
        if min(self.shape, default=0) < 0 or prod(self.shape) != len(self.values):
            raise ValueError(f"{len(self.values)} values do not fill {self.shape}")
        if not all(map(isfinite, self.values)):
            raise ValueError("a value is no number")

    @classmethod
    def of(cls, array: NDArray[np.generic]) -> "Numbers":
        """As it is written."""
        return cls(tuple(array.shape), tuple(array.astype(np.float64).ravel().tolist()))

    def array(self) -> NDArray[np.float64]:
        """As numpy has it, not to be written to."""
        array = np.asarray(self.values, dtype=np.float64).reshape(self.shape)
        array.flags.writeable = False
        return array


class Model(msgspec.Struct, frozen=True):
    """One model."""

    format: int
    name: str
    version: str
    trained_on: TrainedOn
    limits: tuple[str, ...]
    """What it cannot tell, and on whom it was never tried, a sentence each."""
    numbers: dict[str, Numbers]

    def array(self, name: str) -> NDArray[np.float64]:
        """One array by name.

        Raises:
            ModelRefused: the model has no such array.
        """
        if name not in self.numbers:
            raise ModelRefused(self.name, f"has no {name!r} among {sorted(self.numbers)}")
        return self.numbers[name].array()

    def number(self, name: str) -> float:
        """A single number by name.

        Raises:
            ModelRefused: there is none, or more than one.
        """
        array = self.array(name)
        if array.size != 1:
            raise ModelRefused(self.name, f"has {array.size} numbers as {name!r}, one is meant")
        return float(array.ravel()[0])

    def has_seen(self, set_name: str, person: str) -> bool:
        """Whether this person's recordings were fitted on."""
        digest = person_digest(set_name, person)
        return any(digest in one.people for one in self.trained_on.sets)

    def encoded(self) -> bytes:
        """The file: equal bytes for equal models."""
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic"), indent=0) + b"\n"


def person_digest(set_name: str, person: str) -> str:
    """How a model remembers whom it has seen: 12 hexadecimal digits."""
    return hashlib.sha256(f"{set_name}/{person}".encode()).hexdigest()[:12]


def read_model(content: bytes) -> Model:
    """A model from its file.

    Raises:
        ModelRefused: it is none, or of another format.
    """
    if len(content) > MAX_MODEL_BYTES:
        raise ModelRefused("", f"{len(content)} bytes, limit {MAX_MODEL_BYTES}")
    try:
        model = msgspec.json.decode(content, type=Model)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ModelRefused("", str(error)) from error
    if model.format != FORMAT:
        raise ModelRefused(model.name, f"format {model.format}, this software reads {FORMAT}")
    return model


@cache
def model_named(name: str) -> Model:
    """A model that comes with this software.

    Raises:
        ModelRefused: there is none of this name, or its file is damaged.
    """
    file = resources.files("kanhu.vitals.models") / f"{name}.json"
    if not file.is_file():
        raise ModelRefused(name, "is not among the models that come with this software")
    return read_model(file.read_bytes())
