"""The ways to a device: serial ports and Bluetooth Low Energy radios.

Here lives everything of this part that touches the world, with its back-off and its state.
Not here: what bytes mean, whom they are about.
"""

__all__: list[str] = []
