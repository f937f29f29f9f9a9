"""What is said aloud every day: no name, no medicine, no instruction what to take."""

from enum import StrEnum

from kanhu.vitals import Language


class Reminder(StrEnum):
    """What somebody is reminded of; also the name of its recording."""

    WELL_CHECK = "well_check"
    MEDICINE = "medicine"
    SILENCE = "silence"


SPOKEN = {
    Reminder.WELL_CHECK: {
        Language.ZH: "您好，请按约定报个平安。需要帮助时，请按求助按钮。",
        Language.EN: "Hello. Please give the sign that was agreed. If you need help, press the help button.",
    },
    Reminder.MEDICINE: {
        Language.ZH: "到吃药的时间了。吃完请按约定的方式确认。",
        Language.EN: "It is time for the medicine. When it is taken, please confirm it in the agreed way.",
    },
    Reminder.SILENCE: {
        Language.ZH: "您好，您还好吗？请起来走动一下。需要帮助时，请按求助按钮。",
        Language.EN: "Hello. Are you all right? Please get up and move about. If you need help, press the help button.",
    },
}
