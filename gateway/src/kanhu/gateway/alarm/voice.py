"""The voice at home: a recorded file where there is one, else spoken by a speech program, played by a player.

Recordings lie in a folder a language: `zh/SOS.wav` for one rule, `zh/call.wav` for any, `zh/called_off.wav`,
`zh/trial.wav`, and for every day `zh/well_check.wav` and `zh/medicine.wav`. Somebody from the village who is known and
speaks the dialect is understood better than any program.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kanhu.contract import Finding
from kanhu.contract.actions import ActionOutcome
from kanhu.gateway.alarm.acting import Message, Result, Way
from kanhu.gateway.alarm.commands import run_command
from kanhu.gateway.alarm.settings import AlarmConfig
from kanhu.gateway.alarm.words import spoken, title_of
from kanhu.vitals import Language, RulePack

_SPEAK_S = 20.0
_PLAY_S = 60.0  # a sentence takes ten seconds; a player that waits for a busy card has to end too
_FILE = "{file}"
_SPEECH = {Language.ZH: ("espeak-ng", "-v", "cmn", "-s", "140"), Language.EN: ("espeak-ng", "-v", "en", "-s", "140")}


class Voice:
    """Says what was found, in the language of the house."""

    channel = "voice"
    role = ""

    def __init__(self, config: AlarmConfig, *, pack: RulePack, folder: Path, messages: Sequence[Way] = ()) -> None:
        """`folder` is where a relative path of recordings counts from; of `messages` it says whom they go to."""
        self._config = config
        self._pack = pack
        self._recordings = None if config.recordings is None else folder / config.recordings
        self._messages = messages
        self._one_at_a_time = asyncio.Lock()

    def concerns(self, finding: Finding) -> bool:
        """Whoever it is about lives here."""
        del finding
        return True

    async def tell(self, message: Message, finding: Finding) -> Result:
        """Play the recording, or speak; two alarms at once are said one after the other."""
        async with self._one_at_a_time:
            return await self._say(message, finding)

    async def aloud(self, name: str, text: str) -> Result:
        """Play the recording of this name, or speak the text; after what is being said."""
        async with self._one_at_a_time:
            return await self._utter(self._recorded([name]), text)

    async def rest(self) -> None:
        """Silence needs nothing."""

    async def _say(self, message: Message, finding: Finding) -> Result:
        language = self._config.language
        names = [finding.rule, "call"] if message is Message.CALL else [message.value]
        roles = [way.role for way in self._messages if way.concerns(finding)]
        text = spoken(title_of(self._pack, finding, language), message, language, written_to=roles)
        return await self._utter(self._recorded(names), text)

    async def _utter(self, recording: Path | None, text: str) -> Result:
        if recording is not None:
            return _result(await self._play(recording), "recorded")
        with tempfile.TemporaryDirectory(prefix="kanhu-voice-") as folder:
            file = Path(folder) / "said.wav"
            language = self._config.language
            program = _SPEECH[language] if self._config.speech is None else self._config.speech
            if not program:
                return Result(ActionOutcome.FAILED, "no_recording")
            failure = await run_command((*program, "--stdin", "-w", str(file)), within_s=_SPEAK_S, text=text)
            if failure:
                return Result(ActionOutcome.FAILED, f"speech_{failure}")
            return _result(await self._play(file), "spoken")

    def _recorded(self, names: Sequence[str]) -> Path | None:
        """The first of these that somebody recorded."""
        if self._recordings is None:
            return None
        folder = self._recordings / self._config.language.value
        for name in names:
            file = folder / f"{name}.wav"
            if "/" not in name and file.is_file():
                return file
        return None

    async def _play(self, file: Path) -> str:
        command = [word.replace(_FILE, str(file)) for word in self._config.player]
        return await run_command(command, within_s=_PLAY_S)


def _result(failure: str, well: str) -> Result:
    return Result(ActionOutcome.FAILED, f"player_{failure}") if failure else Result(ActionOutcome.DONE, well)
