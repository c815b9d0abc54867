"""
Doubles for the tests of programs that are built on this package, and for our own.

They are public: their names stay, and they change as carefully as the rest.
`simulate` tells what a dialplan would do with a call in a `World` that is made up;
`network.MemoryNetwork` links reactors that exist in memory only, with a clock that the
test moves; `consumer.RecordingConsumer` takes what a transport layer receives.
"""

from sipsorcery.appserver.simulation.trace import Answer, Email, Step, Trace
from sipsorcery.appserver.simulation.world import (
    World,
    WorldAccount,
    WorldPlan,
    WorldProvider,
)
from sipsorcery.testing.dialplans import simulate

__all__ = [
    "Answer",
    "Email",
    "Step",
    "Trace",
    "World",
    "WorldAccount",
    "WorldPlan",
    "WorldProvider",
    "simulate",
]
