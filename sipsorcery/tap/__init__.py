"""
The twistd commands, one module each: its ``Options`` and its ``makeService``.
"""
