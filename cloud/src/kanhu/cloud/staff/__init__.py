"""Who may use the desk: accounts, passwords, sessions, areas and the audit of looks and acts.

Passwords are kept as Argon2id, sessions on the server as hashes of random tokens. Area is a path of places.
Not here: what a viewer sees inside an area (desk), pages (dashboard).
"""
