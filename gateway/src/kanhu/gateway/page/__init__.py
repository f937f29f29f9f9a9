"""The clinic page: who is measured, what was measured, and whether the county has it; on the box's own screen.

Nothing here is imported where the page is off.
"""
