"""
The console: users log in by SSH and see what the servers do with what is theirs.

``keys``, ``line``, ``history``, ``painting``, ``pager``, ``words``, ``events`` and
``tables`` are pure: they know no terminal, only what one sends and shows.
"""
