"""Screens for staff: HTML pages, their assets, wording and charts, made from the desk's read model.

Lives here: routes that answer with HTML, templates, styles, scripts, catalogues, server-made SVG.
Does not live here: queries, rules, who may see whom, sessions; the desk and the staff folder own those.
"""

from kanhu.cloud.dashboard.pages import router

__all__ = ["router"]
