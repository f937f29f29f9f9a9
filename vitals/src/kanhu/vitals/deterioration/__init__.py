"""How a course of vital signs ranks among others that ended badly; one observation at a time.

Not here: thresholds that raise anything (rules/), and NEWS2 (scores/).
"""

from kanhu.vitals.deterioration.course import SIGNS, Course, CourseScore, Taken

__all__ = ["SIGNS", "Course", "CourseScore", "Taken"]
