"""Commissioning: a device is proven before its alarms are believed. Read-only: functions 1 to 4, nothing else.

scan        which units of a bus answer, and with which words
bench       a configured device read on its own, without the gateway: raw words and decoded values
orders      which byte and word order makes the words plausible
movement    a movement of the crane must change the right point, with the right sign
known_load  displayed load and moment against a load that somebody weighed
operator    who is asked: a terminal, or a file of answers
walk        all of it for every device of a site
sheet       what was found, as a page to print
sealing     the sheet's digest into the evidence chain
command     `sitewarden commission` and `sitewarden device test`
"""
