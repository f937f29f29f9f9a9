"""The county's JSON API under /api/v1 and the change stream under /events.

Routes translate between HTTP and the desk; area and role are applied by the desk, never here.
Not here: pages (dashboard), FHIR.
"""
