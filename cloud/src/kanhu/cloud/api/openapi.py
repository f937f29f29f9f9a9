"""The API as OpenAPI describes it, without a running service."""

from typing import Any

from fastapi import FastAPI

from kanhu.cloud.api import routes
from kanhu.contract import VERSION


def openapi() -> dict[str, Any]:
    """OpenAPI document of /api/v1."""
    app = FastAPI(title="kanhu county", version=VERSION)
    app.include_router(routes.router)
    return app.openapi()
