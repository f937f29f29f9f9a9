"""How one person wants the screens: language, theme and size of text, kept in cookies of this site."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request, Response

from kanhu.cloud.dashboard.languages import LANGUAGES, Language, choose_language, language
from kanhu.cloud.services import Transport

__all__ = ["CHOICES", "Look", "keep_look", "look_of", "safe_path"]

CHOICES = {
    "language": tuple(LANGUAGES),
    "theme": ("auto", "light", "dark"),
    "size": ("normal", "large"),
}
"""Every choice and its values; the first value is the one without a cookie."""

_YEAR_S = 365 * 86400


@dataclass(frozen=True, slots=True)
class Look:
    """The choices of one request."""

    language: Language
    theme: str
    size: str


def look_of(request: Request) -> Look:
    """Read the cookies; the browser's language serves who has not chosen."""
    code = choose_language(request.cookies.get("kanhu_language"), request.headers.get("accept-language", ""))
    return Look(language=language(code), theme=_chosen(request, "theme"), size=_chosen(request, "size"))


def keep_look(response: Response, choice: str, value: str, *, transport: Transport) -> None:
    """Set the cookie of one choice; what is not a choice changes nothing."""
    if value in CHOICES.get(choice, ()):
        response.set_cookie(
            f"kanhu_{choice}",
            value,
            max_age=_YEAR_S,
            path="/",
            httponly=True,
            samesite="strict",
            secure=transport is Transport.HTTPS,
        )


def safe_path(wanted: str) -> str:
    """A path of this site to go back to; anything else is the board."""
    parts = urlsplit(wanted)
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if inside and wanted.isprintable() and "\\" not in wanted else "/"


def _chosen(request: Request, choice: str) -> str:
    values = CHOICES[choice]
    value = request.cookies.get(f"kanhu_{choice}")
    return value if value in values else values[0]
