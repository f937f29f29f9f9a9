"""The answer to an address that nothing stands at: words for a person, JSON for a program."""

from fastapi import HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from starlette.exceptions import HTTPException as AnyHTTPException

from kanhu.cloud.dashboard.respond import answer

__all__ = ["no_such_page"]

_NOT_FOUND = 404
_FOR_PROGRAMS = ("/api/", "/events", "/static/")


async def no_such_page(request: Request, error: Exception) -> Response:
    """A page with the way back to the board where a browser asks; it looks nobody up, so it costs nothing."""
    found = error if isinstance(error, AnyHTTPException) else HTTPException(_NOT_FOUND)
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_FOR_PROGRAMS)
    if found.status_code == _NOT_FOUND and wants_page:
        return answer(request, "absent.html", session=None, values={"what": "page"}, status=_NOT_FOUND)
    return await http_exception_handler(request, found)
