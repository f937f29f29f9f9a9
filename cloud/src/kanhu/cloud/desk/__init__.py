"""The read model and the acts of the alert desk: what a screen or an API answer shows, and what staff can do.

Plain frozen records and one Protocol, no HTML and no HTTP; area and role are applied here, in the query.
Not here: how alerts change (alerting), how rows are stored (ledger), how pages look (dashboard).
"""
