"""Messages in the words of a page: what they are about, how far they are, why they failed, and what helps."""

from notifications.domain import About, Status
from services.web.frame.texts import N_

SUBJECTS: dict[str, str] = {
    About.SEAT: N_("Seat in a group"),
    About.GROUP_ENDED: N_("The group ends early"),
    About.MEETING_MOVED: N_("A meeting is moved"),
    About.MEETING_ADDED: N_("A meeting is added"),
    About.MEETING_CANCELLED: N_("A meeting is cancelled"),
    About.GROUP_COMPLETED: N_("The group has concluded"),
    About.SURVEY: N_("Questionnaire"),
    About.INTERVIEW: N_("Welcome interview"),
    About.PERSONAL_LINK: N_("Link to the personal page"),
    About.CONFIRM_LEAVE: N_("Confirmation before leaving"),
    About.CONFIRM_ERASE: N_("Confirmation before erasing the data"),
    About.SELF_REFERRAL: N_("Link to ask to take part"),
    About.RECORD_OPENED: N_("Notice that the record was opened"),
    About.SERVICE_REQUEST: N_("Request to a service"),
    About.COMPLAINT_ANSWERED: N_("Answer to a complaint"),
}
STATES: dict[Status, str] = {
    Status.HELD: N_("waits for consent"),
    Status.QUEUED: N_("about to be sent"),
    Status.SENT: N_("sent"),
    Status.FAILED: N_("not delivered"),
    Status.DROPPED: N_("not needed any more"),
}
CHANNELS = {"mail": N_("by e-mail"), "sms": N_("by text message")}
REASONS = {
    "no-address": N_("there is neither an e-mail address nor a telephone number that is right"),
    "address-not-ascii": N_("the e-mail address has an accent before the @"),
    "not-composable": N_("the contact data cannot be read"),
    "past": N_("it could not be sent in time"),
    "refused": N_("the address was refused as wrong"),
    "undeliverable": N_("it was tried for a day and a half without success"),
    "no-channel": N_("the system is not set up for the only address that is known"),
    "excluded": N_("the person asked not to be written to in this way: call them, or ask how to reach them"),
    "no-mobile": N_("there is no e-mail address, and the telephone is not a mobile"),
    "contact-refused": N_("the person does not want to be contacted"),
}
OTHERWISE = N_("it could not be sent")
