"""One folder a part, plus architecture and end_to_end. A regular package, so that no other `tests` hides it."""
