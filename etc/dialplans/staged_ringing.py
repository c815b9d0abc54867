# The desk first, the mobile after five seconds, a colleague after that. For calls to
# you (in_dialplan).
#
# Legs that are joined by & ring together; dt delays one by so many seconds. What
# follows the | rings when nobody has answered before.

who = req.from_name or req.from_uri.user

if not sys.is_available():
    sys.log("the desk is not registered")

sys.dial(
    f'{req.uri.user}@local & 0851234567@provider[dt=5, fd="{who}"] | colleague@local',
    ring=40,
)
sys.respond(480, "Please try again later")
