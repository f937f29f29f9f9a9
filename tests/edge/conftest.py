"""What the tests of this part that need a radio share."""

from collections.abc import AsyncIterator

import pytest

from tests.edge.virtual_radio import VirtualAir


@pytest.fixture
async def air(free_port: int) -> AsyncIterator[VirtualAir]:
    """Yield a radio over nothing but TCP, with nobody in it."""
    made = VirtualAir(free_port)
    await made.open()
    yield made
    await made.close()
