"""Proofs of kanhu.vitals: rules told as stories, packs refused, scores and detectors against published values."""
