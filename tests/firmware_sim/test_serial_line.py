"""A simulated serial line: nothing for nobody, no blocking, a stable name."""

import os
from pathlib import Path

import serial

from kanhu.firmware_sim.serial_line import SerialLine
from tests.firmware_sim.playing import fill


def test_a_line_is_open_only_while_a_reader_has_it_open(tmp_path: Path) -> None:
    line = SerialLine(tmp_path / "home" / "oximeter")
    seen = [line.is_open()]
    for _ in range(2):
        reader = os.open(line.name, os.O_RDWR | os.O_NOCTTY)
        seen.append(line.is_open())
        os.close(reader)
        seen.append(line.is_open())
    line.close()
    assert seen == [False, True, False, True, False]


def test_every_byte_value_passes_unchanged(tmp_path: Path) -> None:
    line = SerialLine(tmp_path / "oximeter")
    everything = bytes(range(256))
    with serial.Serial(str(line.name), 4800, parity=serial.PARITY_ODD, timeout=2) as reader:
        assert line.write(everything) == 256
        assert reader.read(256) == everything
    line.close()


def test_what_a_reader_sends_is_thrown_away_and_harms_nothing(tmp_path: Path) -> None:
    line = SerialLine(tmp_path / "oximeter")
    with serial.Serial(str(line.name), 4800, timeout=2) as reader:
        reader.write(b"\x7d\x81\xa1" * 100)
        for _ in range(10):
            assert line.is_open()
        line.write(b"\x80")
        assert reader.read(1) == b"\x80"
    line.close()


def test_a_reader_that_never_reads_does_not_block_the_line(tmp_path: Path) -> None:
    line = SerialLine(tmp_path / "oximeter")
    reader = os.open(line.name, os.O_RDWR | os.O_NOCTTY)
    fill(line)  # comes to an end
    assert line.is_open()
    assert line.write(b"\x80") == 0
    os.close(reader)
    line.close()


def test_unplugging_removes_the_name_and_a_second_run_replaces_a_stale_one(tmp_path: Path) -> None:
    name = tmp_path / "oximeter"
    name.symlink_to("/dev/pts/none")
    line = SerialLine(name)
    assert name.exists()
    line.close()
    assert not name.is_symlink()
