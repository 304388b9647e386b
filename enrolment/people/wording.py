"""Words of the pages about people: statuses, purposes, ways in which a consent is given, reasons, steps."""

from enrolment.domain import Status
from services.contracts.enrolment import Among, How, Leaving, Purpose
from services.web.frame.texts import N_

STATUSES = {
    Status.REFERRED: N_("Referred"),
    Status.ADMITTED: N_("Admitted"),
    Status.DECLINED: N_("Not admitted"),
    Status.WITHDRAWN: N_("Has left"),
    Status.ERASED: N_("Data deleted"),
}
KINDS = {Status.REFERRED: "warning", Status.ADMITTED: "good", Status.DECLINED: "plain", Status.WITHDRAWN: "plain"}
PURPOSES = {
    Purpose.PARTICIPATION: N_("Taking part in the programme"),
    Purpose.CONTACT: N_("Receiving messages by e-mail or text message"),
    Purpose.RESEARCH: N_("Use of the questionnaires to see if the programme helps"),
    Purpose.PARTNER_FEEDBACK: N_("Telling the organisation that referred how far the person has come"),
}
HOW = {
    How.IN_PERSON: N_("Said face to face, with the notice explained"),
    How.SIGNED_PAPER: N_("Signed on paper"),
    How.BY_LINK: N_("Decided on their own page"),
}
ON_BEHALF = {each.value: text for each, text in HOW.items() if each is not How.BY_LINK}
LEAVING = {
    Leaving.FOUND_WORK: N_("Found work"),
    Leaving.NO_TIME: N_("Has no time"),
    Leaving.ILLNESS: N_("Illness"),
    Leaving.MOVED_AWAY: N_("Moved away"),
    Leaving.CONSENT_WITHDRAWN: N_("Withdrew the consent to take part"),
    Leaving.OTHER: N_("Another reason, or not said"),
}
AMONG = {
    Among.COLLEAGUES.value: N_("Only with former colleagues of the same company"),
    Among.OTHERS.value: N_("Only in a group of people from several companies"),
}
CARD = {
    "given_name": N_("Given name"),
    "family_name": N_("Family name"),
    "email": N_("E-mail address"),
    "phone": N_("Telephone number"),
    "language": N_("Language of the messages"),
}
DONE = {
    "ammissione": N_("The person is admitted. With a profile they wait for a place in a group from now on."),
    "rifiuto": N_("It is recorded that the person does not take part. The referral is closed."),
    "uscita": N_("It is recorded that the person has left. A seat in a group, if there was one, is free again."),
    "consensi": N_("The decisions are recorded and count from now on."),
    "dati": N_("The data are corrected. Messages from now on use them."),
    "profilo": N_("The profile is saved. An admitted person waits for a place in a group from now on."),
    "collegamento": N_("The link to the person's own page is on its way."),
}  # by the word in the address of the sheet: what was done, and what follows
