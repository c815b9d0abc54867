"""
Who may do what: domains, accounts, credentials, trunks, limits. ``docs/access.rst``.
"""
