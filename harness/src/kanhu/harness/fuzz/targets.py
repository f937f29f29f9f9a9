"""Every codec as a function of bytes alone, found by its signature: none can be forgotten.

A target decodes, observes what a decoder of that type returns, and writes the reading as the wire would carry it. It
may raise DecodeError and nothing else.
"""

import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import ModuleType, UnionType
from typing import Any, get_args, get_origin

import msgspec

import kanhu.edge.codecs
from kanhu.contract import ClockState, Observation, Subject, SubjectKind, Times
from kanhu.edge import framing
from kanhu.edge.codecs.advertised import Advertisement, observe_advertised

__all__ = ["Target", "find_targets"]

Target = Callable[[bytes], object]

_TIMES = Times(arrival_ms=1_772_438_400_000, mono_ns=0, boot="0" * 32, clock=ClockState.SYNCED)
_ABOUT = {"subject": Subject(SubjectKind.RESIDENT, "r-0001"), "device": "fuzzed", "times": _TIMES}
_GIVEN: Mapping[str, tuple[object, ...]] = {
    "key": (bytes(range(16)), bytes(range(12))),
    "address": (bytes(range(6)),),
    "offset": (0, 3),
    "field": ("value",),
    "session_start_ms": (None, 1_772_438_400_000),
}
_NUMBER_BYTES = 2


def find_targets() -> dict[str, Target]:
    """By module and function; one a way of calling it."""
    modules = [_module(found.name) for found in pkgutil.iter_modules(kanhu.edge.codecs.__path__)]
    observers = [function for module in modules for name, function in _functions(module) if name.startswith("observe")]
    targets: dict[str, Target] = {}
    for module in modules:
        for name, function in _functions(module):
            if name.startswith("decode") and _takes_bytes(function):
                for number, given in enumerate(_ways(function, after=_frame_place(function) + 1)):
                    label = f"{module.__name__.rsplit('.', 1)[-1]}.{name}" + (f".{number}" if number else "")
                    targets[label] = _target(function, given, observers)
    for module in (*modules, framing):
        for name, framer in vars(module).items():
            if inspect.isclass(framer) and framer.__module__ == module.__name__ and _is_framer(framer):
                targets[f"{module.__name__.rsplit('.', 1)[-1]}.{name}"] = _fed(framer)
    return targets


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{kanhu.edge.codecs.__name__}.{name}")


def _functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, found in vars(module).items():
        if inspect.isfunction(found) and found.__module__ == module.__name__:
            yield name, found


def _frame_place(function: Callable[..., Any]) -> int:
    return next(at for at, one in enumerate(inspect.signature(function).parameters.values()) if one.annotation is bytes)


def _takes_bytes(function: Callable[..., Any]) -> bool:
    first = list(inspect.signature(function).parameters.values())[:2]
    return bool(first) and (first[0].annotation is bytes or [one.annotation for one in first] == [int, bytes])


def _ways(function: Callable[..., Any], *, after: int) -> Iterator[dict[str, object]]:
    """Each combination of what else it takes."""
    wanted = list(inspect.signature(function).parameters.values())[after:]
    choices = [_choices(one) for one in wanted if one.name not in _ABOUT]
    names = [one.name for one in wanted if one.name not in _ABOUT]
    for chosen in itertools.product(*choices):
        yield dict(zip(names, chosen, strict=True))


def _choices(parameter: inspect.Parameter) -> tuple[object, ...]:
    if parameter.name in _GIVEN:
        return _GIVEN[parameter.name]
    if parameter.default is not inspect.Parameter.empty:
        return (parameter.default,)
    members = get_args(parameter.annotation) if get_origin(parameter.annotation) is UnionType else ()
    for each in (parameter.annotation, *members):
        if inspect.isclass(each) and issubclass(each, Enum):
            return tuple(each)
    raise TypeError(f"nothing is known for {parameter}: say in _GIVEN what to call it with")


def _target(decode: Callable[..., Any], given: Mapping[str, object], observers: list[Callable[..., Any]]) -> Target:
    returned = _types(inspect.signature(decode).return_annotation)
    ways = [
        (observe, tuple(common), more)
        for observe in observers
        if (common := returned & _types(next(iter(inspect.signature(observe).parameters.values())).annotation))
        for more in _ways(observe, after=1)
    ]
    numbered = _frame_place(decode) == 1  # the number of a service or a company stands before the frame

    def call(data: bytes) -> None:
        head = (int.from_bytes(data[:_NUMBER_BYTES], "big"),) if numbered else ()
        found = decode(*head, data[_NUMBER_BYTES:] if numbered else data, **given)
        if isinstance(found, Advertisement):
            _written(observe_advertised(found.values, **_ABOUT))  # type: ignore[arg-type]  # what every observer takes
        for record in found if isinstance(found, tuple) else (found,):
            for observe, kinds, more in ways:
                if isinstance(record, kinds):
                    _written(observe(record, **_ABOUT, **more))

    return call


def _is_framer(found: type) -> bool:
    """Takes bytes, and is made of nothing: what is made of a way to measure is fed by those that give it one."""
    return hasattr(found, "feed") and not inspect.signature(found).parameters


def _fed(framer: Callable[[], Any]) -> Target:
    """A framer takes bytes in any pieces, here of a length that its first byte says, and refuses none."""

    def call(data: bytes) -> None:
        framing, size = framer(), 1 + (data[0] if data else 0)
        for start in range(0, len(data), size):
            for _ in framing.feed(data[start : start + size]):
                pass

    return call


def _types(annotation: object) -> set[type]:
    """The codecs' own classes in an annotation: of a union its members, of a tuple its elements."""
    if get_origin(annotation) in {UnionType, tuple}:
        return set().union(*(_types(each) for each in get_args(annotation)))
    return {annotation} if inspect.isclass(annotation) and annotation.__module__.startswith("kanhu.edge") else set()


def _written(observed: Observation | tuple[Observation, ...]) -> None:
    """A reading that cannot be written down and read again is as lost as one that was never made."""
    for one in observed if isinstance(observed, tuple) else (observed,):
        again = msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Observation)
        if again != one:
            raise AssertionError(f"written and read again it is another: {one}")
