"""What the county signs for its gateways: keys of three people, a signed list of files, a daily proof of freshness.

The form is TUF's (https://theupdateframework.github.io/specification/latest/), by python-tuf. Root and list of files
are signed by two of three people away from this machine; snapshot and timestamp by a key of the county's server, which
can say that nothing is new, and nothing else. Not here: what a gateway does with it (kanhu.gateway.updates).
"""
