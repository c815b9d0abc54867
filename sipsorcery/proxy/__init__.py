"""
The SIP proxy: owns the public sockets.

In this version it answers OPTIONS and refuses everything else.
"""
