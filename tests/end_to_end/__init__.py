"""Promises of the whole: real processes from device bytes to a closed alert, and a real browser.

Not here: promises that one part can keep alone.
"""
