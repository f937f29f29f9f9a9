"""`./run vectors FILE.json`: every published frame of a file through our codecs, field by field.

Here live the reading of such a file, one adapter a family from our records to the file's own words, and the comparison.
Not here: any decoding; an adapter calls a codec and renames what it returns.
"""
