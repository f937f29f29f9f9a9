"""What the gateway does by itself when a high finding has no receipt of the county within its time.

    outbox.accept ──same transaction──▶ book: an alarm is armed
                                          │  receipt for its finding ─▶ ended `receipted`
                                          ▼  none in time
    keeper (once a second) ─▶ ladder decides, with a named reason ─▶ voice, light, SMS ─▶ book: done
                                          ▲                                                │ same transaction
                                          └─ repeated until receipted or called off        ▼
                                                         outbox: the same alert, with what was done

Hard cases: an act is committed as begun before it starts and as done after it, so a crash leaves at most one act a
channel whose end nobody knows; that one is done once more, because a second message is better than none. Deadlines
count on the monotonic clock of one boot; after another boot they count from its beginning, because nobody knows how
long the power was away. A card that takes no writes does not silence the alarm: then the book is kept in memory.
"""
