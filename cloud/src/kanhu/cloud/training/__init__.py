"""Fits the tables of numbers that vitals scores with: reads recordings, trains, writes a model with its card.

Not here: any detector (kanhu.vitals, which training runs to get the very numbers it will be asked for), and any score
of one (the harness). scikit-learn is imported here and nowhere else, where a fit begins.
"""
