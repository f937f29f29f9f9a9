"""Whether a reading may be used: ranges, pairs, change, repetition.

Here lives what looks at readings before any rule does. Not here: clinical limits, and what a device itself reports of
its quality, which its codec records.
"""

from kanhu.vitals.quality.gate import QualityGate, assess

__all__ = ["QualityGate", "assess"]
