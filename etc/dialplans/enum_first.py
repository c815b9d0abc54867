# Free calls over the internet where a number has an entry in ENUM, else a provider. For
# calls of your own (out_dialplan).
#
# The table may hold numbers of friends, and the domains to ask:
#   {"enum": {"+35318881234": "sip:friend@sip.example.org"},
#    "enum_servers": ["e164.arpa", "e164.org"]}

number = req.uri.user
if number.startswith("00"):
    number = "+" + number[2:]

uri = lookup.enum(number)
if uri is None and number.startswith("+"):
    for server in lookup.enum_servers() or ["e164.arpa"]:
        uri = sys.enum_lookup(f"{number}.{server}")
        if uri is not None:
            break

if uri is not None:
    sys.dial(uri, ring=30)

sys.dial(f"{number}@provider")
