"""
What proxy and watchtower both know of application servers.

`file` reads who there is, `probing` asks them how they are, `health` says who is well,
and `choice` in which order to offer them a call.
"""
