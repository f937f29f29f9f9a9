"""Who lives where, which gateway watches them, whom to call: the county's register.

Names, addresses and phone numbers are only here, never on a gateway. Not here: who may look (staff, desk).
"""
