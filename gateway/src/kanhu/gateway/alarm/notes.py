"""Names of the notes about the alarm in the outbox, for the doctor."""

PIN_TRIED = "alarm_pin_tried"
"""When the contacts file was last changed, of a PIN that was tried and not accepted; else 0."""
MODEM_WELL = "alarm_modem_well"
"""1 where a message could have been sent when the modem was last looked at, else 0."""
