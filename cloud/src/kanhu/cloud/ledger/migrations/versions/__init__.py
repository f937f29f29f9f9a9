"""One file a revision of the schema, in order; a revision that has shipped is never edited.

Numbers rise; each names the one before. Not here: data repairs that are not part of a revision.
"""
