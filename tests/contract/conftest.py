"""Property tests here are bounded by their number of examples, not by the speed of a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile("contract", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("contract")
