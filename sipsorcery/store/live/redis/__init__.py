"""
The live state in Redis.

`store` is what roles use; it has a `shard` for each Redis, which asks the `questions`
of all who wait in one batch, and ``batch.lua`` answers them there in one step.
"""

from sipsorcery.store.live.redis.store import RedisStore

__all__ = ["RedisStore"]
