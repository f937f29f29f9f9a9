"""Continuous glucose: forecasts, warnings, and sensors that are not believed."""
