"""Whether simulated people are as studies find people: `python -m kanhu.firmware_sim.ranges`.

Here lives what is measured over a drawn county, the published range beside it, and the picture of both. Not here: the
people themselves (population), their bodies, or what devices make of them.
"""

from kanhu.firmware_sim.ranges.figures import Figure, Living
from kanhu.firmware_sim.ranges.measure import measure
from kanhu.firmware_sim.ranges.picture import draw_picture

__all__ = ["Figure", "Living", "draw_picture", "measure"]
