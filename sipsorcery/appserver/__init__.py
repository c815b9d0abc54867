"""
The application server: runs each user's own dialplan for each call.
"""
