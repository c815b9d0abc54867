"""
Where state lives: the directory, the live state, and the secrets of the service.

The *directory* (:mod:`sipsorcery.store.directory`) holds what people configure: users,
domains, accounts, dialplans, and the records of their calls. The *live state*
(:mod:`sipsorcery.store.live`) holds what servers remember while they work:
registrations, calls, subscriptions. ``docs/stores.rst`` tells how both are used.
"""
