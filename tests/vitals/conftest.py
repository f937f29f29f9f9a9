"""Property tests of this part: no time limit per example, because other work shares the machine."""

from hypothesis import HealthCheck, settings

settings.register_profile("vitals", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vitals")
