"""A Contec CMS50D+ on a serial line: 60 packets a second while worn; 600 packets (10 s) are one reading.

Windows stand at fixed seconds of the play. A window whose second comes while nobody has the line open, or too soon
after a session broke off, is not sent at all: a session always begins with a whole window after a pause.

    off --wear, line open and settled--> streaming --last window--> off
                                            |
                                            +--line closed: window unsent--> pausing --3 s--> off
                                            +--stopped, reader too slow, or a gap inside: window cut--> pausing
"""

import asyncio
from collections.abc import Iterator

from kanhu.firmware_sim.devices.device import Device, Surroundings
from kanhu.firmware_sim.devices.oximeter_window import OximeterWindow, PulseWave
from kanhu.firmware_sim.journal import Value
from kanhu.firmware_sim.scenario.model import SESSION_PAUSE_S, WINDOW_S, Wear, Window
from kanhu.firmware_sim.serial_line import SerialLine
from kanhu.firmware_sim.timeline import Timeline
from kanhu.firmware_sim.wire import oximeter_packet
from kanhu.firmware_sim.wire.cms50d import PACKET_BYTES, PACKETS_PER_S

_BATCHES_PER_S = 10  # six packets at a time: as smooth as a USB bridge delivers, at a sixth of the wake-ups
_BATCH_BYTES = PACKETS_PER_S // _BATCHES_PER_S * PACKET_BYTES
# Programs throw away what is waiting right after they open a line; a window begun before that would lose its head.
_SETTLING_S = 1.0
_LOOK_EVERY_S = 0.25
# Readers end a session after 2 s of silence. Where this program itself was held up for so long inside a window, nobody
# can know whether the reader did: the session is ended so that both sides count from the same packet again.
_LARGEST_GAP_S = 1.0
# A reader two seconds behind will not catch up; the line itself holds minutes more.
_LARGEST_BACKLOG_BYTES = 2 * PACKETS_PER_S * PACKET_BYTES


class Oximeter(Device):
    """One oximeter."""

    def __init__(self, surroundings: Surroundings, *, line: SerialLine) -> None:
        """Stand at the end of `line`, which it closes."""
        super().__init__(surroundings, reached_by={"port": str(line.name)})
        self._line = line
        self._wave = PulseWave(seed=f"{surroundings.seed}/{surroundings.entry.id}")
        self._open_since_ns: int | None = None
        self._quiet_since_ns: int | None = None  # set when a session broke off
        self._backlog = b""

    def has_reader(self) -> bool:
        """Whether a window could begin now: its port has been open on the other side for long enough."""
        return self._reason_not_to_begin() is None

    async def power_on(self) -> None:
        """Nothing to do: the line is there."""

    async def idle(self) -> None:
        """Watch whether somebody has the line open."""
        while True:
            self._look()
            await self._around.clock.sleep(_LOOK_EVERY_S)

    async def play(self, timeline: Timeline) -> None:
        """Stream while worn."""
        begins = [event.at_s for event in self._around.events]
        for event, end_s in zip(self._around.events, [*begins, timeline.duration_s][1:], strict=True):
            if isinstance(event, Wear):
                begins_s = event.at_s
                for window in _windows(event, end_s):
                    await timeline.until(begins_s)
                    await self._play_window(window, begins_s, timeline)
                    begins_s += WINDOW_S

    async def power_off(self) -> None:
        """Unplug the line."""
        self._line.close()

    async def _play_window(self, scripted: Window, begins_s: float, timeline: Timeline) -> None:
        state = self._around.body.seated(timeline.second_of_day(begins_s))
        window = self._wave.window(
            scripted.spo2_percent or round(state.spo2_percent),
            scripted.pulse_bpm or round(state.heart_rate_bpm),
            artefact=scripted.artefact,
        )
        reason = self._reason_not_to_begin()
        if reason is None:
            reason = await self._stream(window, begins_s, timeline)
        if reason is not None:
            self._write_unsent(reason, _truth(window))

    async def _stream(self, window: OximeterWindow, begins_s: float, timeline: Timeline) -> str | None:
        """Send one window; the reason if it counts as unsent."""
        waiting = b"".join(map(oximeter_packet, window.packets))
        batches = len(waiting) // _BATCH_BYTES
        handed_over = 0
        last_s: float | None = None
        try:
            for number in range(batches):
                await timeline.until(begins_s + (number + 1) / _BATCHES_PER_S)
                before_s, last_s = last_s, timeline.elapsed_s()
                if before_s is not None and last_s - before_s > _LARGEST_GAP_S:
                    return self._cut(window, handed_over, "interrupted")
                if not self._look():
                    self._break_off()
                    return "reader_gone"
                batch = waiting[number * _BATCH_BYTES : (number + 1) * _BATCH_BYTES]
                self._backlog += b"".join(self._around.spoiler.messages(batch, begins_s))
                written = self._line.write(self._backlog)
                self._backlog = self._backlog[written:]
                handed_over += written
                if len(self._backlog) > _LARGEST_BACKLOG_BYTES:
                    return self._cut(window, handed_over, "reader_too_slow")
        except asyncio.CancelledError:
            if self._cut(window, handed_over, "stopped") is not None:
                self._write_unsent("stopped", _truth(window))
            raise
        self._write_emitted(_truth(window))
        return None

    def _cut(self, window: OximeterWindow, handed_over_bytes: int, reason: str) -> str | None:
        """End the session inside a window: once a packet is out, the reader has a started window to account for."""
        self._break_off()
        if handed_over_bytes < PACKET_BYTES:
            return reason
        packets = handed_over_bytes // PACKET_BYTES
        self._write_emitted({**_truth(window), "cut": reason, "handed_over_packets": packets})
        return None

    def _break_off(self) -> None:
        self._backlog = b""
        self._quiet_since_ns = self._around.clock.mono_ns()

    def _look(self) -> bool:
        """Note whether the line is open and since when."""
        if not self._line.is_open():
            self._open_since_ns = None
            return False
        if self._open_since_ns is None:
            self._open_since_ns = self._around.clock.mono_ns()
        return True

    def _reason_not_to_begin(self) -> str | None:
        now_ns = self._around.clock.mono_ns()
        if not self._look() or self._open_since_ns is None:
            return "no_reader"
        if now_ns - self._open_since_ns < _SETTLING_S * 1e9:
            return "reader_just_came"
        if self._quiet_since_ns is not None and now_ns - self._quiet_since_ns < SESSION_PAUSE_S * 1e9:
            return "pausing"
        return None


def _windows(event: Wear, end_s: float) -> Iterator[Window]:
    """The scripted windows, or whole ones from the body until the end."""
    if event.windows:
        for window in event.windows:
            for _ in range(window.count):
                yield window
    else:
        for _ in range(int((end_s - event.at_s) / WINDOW_S)):
            yield Window()


def _truth(window: OximeterWindow) -> dict[str, Value]:
    return {
        "spo2_percent": window.spo2_percent,
        "pulse_bpm": window.pulse_bpm,
        "artefact": window.artefact.value if window.artefact else None,
        "packets": len(window.packets),
        "valid_packets": window.valid_packets,
    }
