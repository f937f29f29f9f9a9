"""Detectors against recordings of real people, sample by sample as on the Pi, beside the libraries of the field.

Not here: the detectors (kanhu.vitals), how models are fitted (kanhu.cloud.training), the simulated county (scoring/).
"""
