# Call from anywhere at the price of home: let it ring once and hang up, and you are
# called back. For calls to an account that is there for it (in_dialplan).
#
# Whoever is in the table is called back, and connected with the number that their entry
# names:
#   {"speed_dials": {"+353861234567": "101@local"}}

caller = req.from_uri.user
destination = lookup.speed_dial(caller)

if destination is None:
    sys.respond(403, "Nobody calls you back")
else:
    sys.callback(caller, destination, delay=10)
    sys.respond(480, "You are called back")
