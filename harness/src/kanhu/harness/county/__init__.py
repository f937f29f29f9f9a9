"""`./run county`: a county is recorded, judged in another process, scored, and shown on one page.

Here live the command, its stages with progress, the page and its plots. Not here: how anything is scored
(harness.scoring), what is recorded (firmware-sim), what is judged (cloud).
"""
