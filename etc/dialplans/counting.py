# What is kept from one call to the next: who calls more than three times a day is put
# through at once, and nobody calls while two calls are going on. For calls to you
# (in_dialplan).

from datetime import datetime

if sys.get_current_call_count() >= 2:
    sys.respond(486, "Busy Here")

key = f"{datetime.now().date()} {req.from_uri.user}"
count = int(sys.db_read(key) or 0) + 1
sys.db_write(key, str(count))

# What was counted on other days is not needed any more.
for each in sys.db_get_keys():
    if not each.startswith(str(datetime.now().date())):
        sys.db_delete(each)

if count > 3:
    sys.log(f"call {count} of today")
    sys.dial(f"{req.uri.user}@local & mobile@local")
sys.dial(f"{req.uri.user}@local", ring=20)
