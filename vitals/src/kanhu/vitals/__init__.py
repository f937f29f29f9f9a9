"""What a reading means: quality, scores, personal baselines, rhythm, falls, inactivity, rule packs.

Not here: any input or output, clock or asyncio; any third-party package but numpy and msgspec.
"""

__all__: list[str] = []
