"""A recorded county judged again: the same readings, the shipped rules or others, in virtual time.

Here lives what plays a recording into the county's own ingest and alerting and writes down what came of it. Not here:
what truly happened, which a judge may not know; nor any comparison.
"""
