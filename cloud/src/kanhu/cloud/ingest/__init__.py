"""From the broker to the ledger: messages in, one transaction for all that wait, receipts out after the commit.

Topic, body and register must name the same gateway; what does not pass is kept in quarantine with its reason.
Not here: how records are kept (ledger), what findings become (alerting).
"""
