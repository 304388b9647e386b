"""Words of the pages about people: statuses, purposes, ways in which a consent is given, reasons, steps."""

from enrolment.domain import OPEN, Status
from services.contracts.enrolment import Among, Contacting, Declining, How, Leaving, Purpose, Step
from services.identity.auth import Role
from services.web.frame.texts import N_

STATUSES = {
    Status.REFERRED: N_("Referred"),
    Status.CONTACTED: N_("Contacted"),
    Status.BOOKED: N_("Interview booked"),
    Status.INTERVIEWED: N_("Interviewed"),
    Status.ADMITTED: N_("Admitted"),
    Status.DECLINED: N_("Not admitted"),
    Status.WITHDRAWN: N_("Has left"),
    Status.MERGED: N_("Merged with another record"),
    Status.ERASED: N_("Data deleted"),
}
KINDS = dict.fromkeys(Status, "plain") | dict.fromkeys(OPEN, "warning") | {Status.ADMITTED: "good"}
CONTACTING = {
    Contacting.PHONE.value: N_("By telephone"),
    Contacting.EMAIL.value: N_("By e-mail"),
    Contacting.MESSAGE.value: N_("By text message"),
    Contacting.IN_PERSON.value: N_("Face to face"),
    Contacting.OTHER.value: N_("In another way"),
}
REACHED = {"yes": N_("Yes, we spoke"), "no": N_("No, it was in vain")}
DECLINING = {
    Declining.NOT_INTERESTED.value: N_("Is not interested"),
    Declining.NOT_REACHED.value: N_("Could not be reached"),
    Declining.NOT_ELIGIBLE.value: N_("The programme is not for their situation"),
    Declining.FOUND_WORK.value: N_("Found work"),
    Declining.NO_TIME.value: N_("Has no time"),
    Declining.PREFERS_ANOTHER_SERVICE.value: N_("Prefers another service"),
    Declining.OTHER.value: N_("Another reason, or not said"),
}
STEPS = {
    Step.CONTACTED: N_("First contact"),
    Step.INTERVIEWED: N_("Welcome interview"),
    Step.ADMITTED: N_("Admission"),
    Step.DECLINED: N_("Decision not to take part"),
    Step.WITHDRAWN: N_("End of the participation"),
}
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
ROLES = {
    Role.WORKER: N_("The person themself"),
    Role.REFERRER: N_("The organisation that refers"),
    Role.OPERATOR: N_("An operator"),
    Role.ADMINISTRATOR: N_("An administrator"),
    Role.PARTNER_SYSTEM: N_("The system of a partner"),
    Role.FACILITATOR: N_("A facilitator"),
}  # who took a step
DONE = {
    "contatto": N_("The contact is recorded."),
    "appuntamento": N_("The interview is booked. The person is told, if they consent to messages."),
    "svolto": N_("The interview is recorded. Now it is to be decided if the person is admitted."),
    "colloquio": N_("The interview is recorded, with its consents, the profile and the result."),
    "rientro": N_("It is recorded that the person comes back. The way begins again with a contact."),
    "date": N_("The date is corrected. The history shows the reason."),
    "ammissione": N_("The person is admitted. With a profile they wait for a place in a group from now on."),
    "rifiuto": N_("It is recorded that the person does not take part. The referral is closed."),
    "uscita": N_("It is recorded that the person has left. A seat in a group, if there was one, is free again."),
    "consensi": N_("The decisions are recorded and count from now on."),
    "dati": N_("The data are corrected. Messages from now on use them."),
    "profilo": N_("The profile is saved. An admitted person waits for a place in a group from now on."),
    "collegamento": N_("The link to the person's own page is on its way."),
}  # by the word in the address of the sheet: what was done, and what follows
