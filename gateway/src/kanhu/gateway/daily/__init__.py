"""What comes back every day: the agreed sign of wellbeing, the medicine, and how long a home is silent.

    devices ─▶ intake ──taken──▶ keeper.taken: was that the sign, or the dose?
                 ▲                 │
                 │                 ▼  every five seconds, with what is known of the time
                 │               well, medicine, silence: one named answer a look
                 │                 │ prompt ─▶ written on the card, then said aloud
                 └── well_check, dosage, inactivity ◀─ signed, missing, missed, still

What the gateway concludes travels as an ordinary observation, so the rule pack says whether it is an alert, and the
county shows it like every other reading. Hard cases: a step is on the card before it is said, so a crash leaves it out
and never says it twice; a conclusion is on the card before the step is, so a crash repeats it and the open alert takes
the repetition in; one that was judged and not stored restarts the judge; a fault here stops no device. The
hour is read from what is known of the true time; the pause between two prompts counts on the monotonic clock of one
boot.
"""
