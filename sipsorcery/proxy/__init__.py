"""
The SIP proxy: owns the public sockets, and sends each request on its way.
"""
