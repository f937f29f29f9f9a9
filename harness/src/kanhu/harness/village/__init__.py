"""A village as real processes: broker, county, simulated homes and real gateways, and a person who works the board.

Here lives what brings it up, watches it and settles its account. Not here: what is played, broken or judged; nor any
import of a part of kanhu: the village is seen only from outside, by processes, files and HTTP.
"""

__all__: list[str] = []
