"""Command line of `./run prove`: a table of tasks, each with a command line of its own."""

import sys
from collections.abc import Sequence

from kanhu.harness.tasks import Task, run_task

TASKS: dict[str, Task] = {
    "arm64": Task("the gateway's package runs on a 64-bit ARM, from wheels alone", "kanhu.harness.prove.arm64"),
    "bluez": Task("what a gateway does by Bluetooth holds with a real bluetoothd", "kanhu.harness.prove.bluez.proof"),
    "card": Task("a stolen card tells no name, address or telephone number", "kanhu.harness.prove.card"),
    "chaos": Task("no accepted reading is lost, stored twice or changed", "kanhu.harness.prove.chaos"),
    "devices": Task("every finished measurement arrives once, with its person", "kanhu.harness.prove.devices"),
    "disk-full": Task("a full disk jams nothing, and what it cost is named exactly", "kanhu.harness.prove.disk_full"),
    "fuzz": Task("whatever bytes arrive, a codec answers or refuses", "kanhu.harness.fuzz.proof"),
    "power-cut": Task("what was accepted outlives a cut of the power anywhere", "kanhu.harness.prove.power_cut"),
    "offline": Task(
        "thirty days without a county: nothing lost, drained in time, alerts first", "kanhu.harness.prove.offline"
    ),
    "identity": Task("no gateway can be another, or throw one off", "kanhu.harness.prove.identity"),
    "scenarios": Task("each story raises what it must, and nothing else", "kanhu.harness.prove.scenarios"),
    "starve": Task("one gateway that sends without end keeps nobody else waiting", "kanhu.harness.prove.starve"),
    "village": Task("a village under faults: every high alert reaches a person in time", "kanhu.harness.prove.village"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    return run_task("prove", TASKS, arguments)


if __name__ == "__main__":
    sys.exit(main())
