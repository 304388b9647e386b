"""Texts of the console that Python chooses among, as English texts to translate."""

from collections.abc import Mapping

from services.web.frame.texts import N_

NOTICES: Mapping[str, str] = {
    "ended": N_("Your session has ended."),
    "may-not": N_("Your role may not see the console: that takes the operator of the system."),
    "later": N_("At this moment there is no answer from: %(more)s. Try again shortly."),
    "no-such": N_("There is no such page."),
}
BANNERS: Mapping[str, str] = {
    "redriven": N_("The dead letter is taken again by its consumer."),
    "dismissed": N_("The dead letter is dismissed: what waited behind it follows."),
    "held": N_("Another dead letter of the same subject still holds back what waits."),
    "refused": N_("It was not done: %(reason)s"),
}
STATES: Mapping[str, str] = {
    "died": N_("died"),
    "open": N_("open"),
    "dismissed": N_("dismissed"),
    "redriven": N_("redriven"),
    "superseded": N_("superseded by a rebuild"),
}
# The steps of the path through the programme, and where the indicators have them.
STEPS: Mapping[str, str] = {
    "referred": N_("Referred"),
    "admitted": N_("Admitted"),
    "waiting": N_("On the waiting list"),
    "seated": N_("With a seat in a group"),
    "took_part": N_("Took part in a meeting"),
    "withdrawn": N_("Withdrew"),
    "found_work": N_("Found work"),
}
MEETINGS, SURVEYS = N_("Meetings held"), N_("Questionnaires answered")
UP_TO_DATE = N_("This page keeps itself up to date: at %(time)s")
AWAY = N_("%(service)s: no answer")
ENGINE_AWAY = N_("%(service)s: %(engine)s does not answer")
NOBODY_SENDS = N_("%(service)s: nobody sends its events")
NOT_SENT = N_("%(service)s: events not sent for %(seconds)s seconds")
DEAD = N_("dead letters: %(n)s")
GAPS = N_("%(service)s: events without a predecessor")
