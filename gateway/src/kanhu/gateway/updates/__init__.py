"""Settings and rule packs from the county: fetched, verified, tried, kept or taken back.

The way: `keeper` asks now and then -> `fetch`, a process of its own, verifies with TUF (python-tuf) and lays a release
on the card (`store`) -> `release` lets the loaders of settings and rules read it -> the state names it as on trial, in
one write -> the process starts anew (`start`) -> `health` judges -> kept, or the one before is back.

Not here: what may be set from afar (kanhu.contract.remote), and how a county signs (kanhu.cloud.updates).
"""
