"""
What the servers tell the owners of calls and accounts: events, and the way they take.

``docs/events.rst`` lists the kinds of events and shows the bus.
"""
