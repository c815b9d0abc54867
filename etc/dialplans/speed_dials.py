# Speed dials and numbers as people dial them. For calls of your own (out_dialplan).
#
# Give it its table with `sipsorcery dialplan options`:
#   {"speed_dials": {"7": "101@local", "*99": "+35318881234@provider"},
#    "options": {"country": "353", "area": "1"}}

number = req.uri.user

entry = lookup.speed_dial(number)
if entry is not None:
    sys.log(f"speed dial {number} is {entry}")
    sys.dial(entry)
    sys.respond(sys.last_failure_status, sys.last_failure_reason)

country = lookup.option("country") or "1"
area = lookup.option("area") or ""

# Every number becomes an international one, with + and the code of the country.
if number.startswith("+"):
    international = number
elif number.startswith("00"):
    international = "+" + number[2:]
elif number.startswith("0"):
    international = "+" + country + number[1:]
elif len(number) >= 7:
    international = "+" + country + area + number
else:
    international = ""

if international:
    sys.dial(f"{international}@provider")
else:
    sys.dial(f"{number}@local")
