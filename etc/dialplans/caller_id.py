# A name for who calls, and no calls from those on the blacklist. For calls to you
# (in_dialplan).
#
# The tables hold what you know yourself; a web service is asked about all others:
#   {"caller_names": {"+35318881234": "Mum"},
#    "options": {"service": "https://crm.example.com/contact?number=", "token": "..."}}
# A number is put on the blacklist by `sys.db_write("blacklist +1900...", "why")`.

number = req.from_uri.user

reason = sys.db_read(f"blacklist {number}")
if reason is not None:
    sys.log(f"{number} is on the blacklist: {reason}")
    sys.respond(603, "Declined")

# Whoever calls without a number is asked to show one.
if not any(each.isdigit() for each in number):
    sys.respond(433, "Anonymity Disallowed")

name = lookup.caller_name(number)
service = lookup.option("service")
if name is None and service is not None:
    contact = crm.lookup_contact(service + number, lookup.option("token") or "")
    if contact is not None:
        name = f"{contact.person_name} ({contact.company_name})"

sys.set_from_header(name, None, None)
if sys.dial(f"{req.uri.user}@local", ring=30).outcome == "timed out":
    sys.email("me@example.com", "Missed call", f"{name or number} has called you.")
