"""What an event does to a user's membership.

A membership remembers as of when it is so, and by which event. An event changes it only if it
happened later; of two that happened at the same moment the one with the greater id, byte by byte,
counts as later. So the order of arrival never matters.
"""

EFFECTS = {"user.upgraded": True, "user.downgraded": False}  # type of event: Chirpy Red after it
