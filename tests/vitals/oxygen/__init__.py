"""Oxygen below a person's own baseline, by spot readings and by night."""
