"""Topics and filters that nobody thought of, drawn around those of a victim."""

from collections.abc import Callable
from random import Random

from kanhu.cloud.broker.settings import COUNTY_NAME
from kanhu.contract import Down, Up, down_topic, up_topic

__all__ = ["draw_topics"]

_MOST_CHANGES = 3
_SLASHES = ("//", ".", "/./", "/../", "\\", "%2F", "∕", "/ ", "/\0", "/+/", "/#/", "")
_IN_PLACE_OF_A_NAME = ("+", "#", "*", ">", "", ".", "..", "%75", COUNTY_NAME, "$SYS")
_BEFORE = ("/", "./", "$share/g/", "$queue/", "$SYS/", "$MQTT/sub/", "$JS/API/", "_INBOX/", "+/", "*/")
_BEHIND = ("/", "/#", "/+", "/>", "/*", "#", "+", ">", " ", "\0", ".", "/x", "/" + "x" * 300)
_SIGNS = "/+#*>.$ \0\\%é零\N{ZERO WIDTH SPACE}\N{FULLWIDTH SOLIDUS}-_2aZ"


def draw_topics(draw: Random, count: int, *, mine: str, victim: str) -> list[str]:
    """So many different topics, or filters, at no more than 3 changes from one of the victim's.

    With dots for slashes, as nats-server has them; with wildcards of either; below one's own name and beside it.
    """
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        topic = draw.choice(_starts(victim))
        for _ in range(draw.randint(0, _MOST_CHANGES)):
            topic = draw.choice(_CHANGES)(draw, topic, mine, victim)
        if topic:
            drawn[topic] = None
    return list(drawn)


def _starts(victim: str) -> list[str]:
    return [*(up_topic(victim, kind) for kind in Up), *(down_topic(victim, kind) for kind in Down)]


def _other_slash(draw: Random, topic: str, mine: str, victim: str) -> str:
    del mine, victim
    parts = topic.split("/")
    at = draw.randrange(1, len(parts)) if len(parts) > 1 else 0
    return "/".join(parts[:at]) + draw.choice(_SLASHES) + "/".join(parts[at:])


def _other_name(draw: Random, topic: str, mine: str, victim: str) -> str:
    names = (*_IN_PLACE_OF_A_NAME, f"{mine}/{victim}", f"{mine}.{victim}", f"{mine}/../{victim}", f"{victim}/{mine}",
             victim.upper(), f"{victim} ", f"{mine}>", f"{mine}*")  # fmt: skip  # a list reads as a list
    return topic.replace(victim, draw.choice(names), 1)


def _before(draw: Random, topic: str, mine: str, victim: str) -> str:
    del victim
    return draw.choice((*_BEFORE, f"kanhu/v1/up/{mine}/", f"kanhu.v1.up.{mine}.", f"kanhu/v1/down/{mine}/")) + topic


def _behind(draw: Random, topic: str, mine: str, victim: str) -> str:
    del mine, victim
    return topic + draw.choice(_BEHIND)


def _shorter(draw: Random, topic: str, mine: str, victim: str) -> str:
    del mine, victim
    return "/".join(topic.split("/")[: draw.randint(1, 5)]) + draw.choice(("", "/#", "/+", "/>", "/*"))


def _other_sign(draw: Random, topic: str, mine: str, victim: str) -> str:
    del mine, victim
    at = draw.randrange(len(topic) + 1)
    return topic[:at] + draw.choice(_SIGNS) + topic[at + draw.randint(0, 1) :]


def _with_dots(draw: Random, topic: str, mine: str, victim: str) -> str:
    del draw, mine, victim
    return topic.replace("/", ".")


_CHANGES: tuple[Callable[[Random, str, str, str], str], ...] = (
    _other_slash, _other_name, _before, _behind, _shorter, _other_sign, _with_dots,
)  # fmt: skip  # a list reads as a list
