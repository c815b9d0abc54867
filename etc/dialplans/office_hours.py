# By day the desk rings, by night the answering machine. For calls to you (in_dialplan).
#
# The time is that of the time zone of your user account.

from datetime import datetime

now = datetime.now()
is_open = now.weekday() < 5 and 9 <= now.hour < 17
sys.log(f"{now.hour}:{now.minute:02} in {sys.get_timezone()}: {is_open}")

if is_open:
    sys.dial(f"{req.uri.user}@local", ring=20)

sys.dial("voicemail@local[cd=120]")
