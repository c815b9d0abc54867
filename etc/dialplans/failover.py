# The cheapest provider first, then the others. For calls of your own (out_dialplan).
#
# A provider that is down, or answers that it cannot, is passed over; one that says that
# the callee is busy or does not answer has done its work.

PROVIDERS = {
    "+44": ["british", "worldwide"],
    "+353": ["irish", "worldwide"],
    "": ["worldwide", "irish"],
}

number = req.uri.user
if number.startswith("00"):
    number = "+" + number[2:]

prefix = max([each for each in PROVIDERS if number.startswith(each)], key=len)
for provider in PROVIDERS[prefix]:
    result = sys.dial(f"{number}@{provider}", ring=60)
    if result.outcome == "timed out" or result.status in (404, 486, 600, 603):
        break
    sys.log(f"{provider} has failed: {result.status} {result.reason}")
