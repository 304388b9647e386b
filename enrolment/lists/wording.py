"""Sentences of the pages about lists: why a file cannot be read, what is wrong in a row, what becomes of a person."""

from enrolment.lists.commands import Outcome
from services.web.frame.texts import N_

FILES = {
    "no-file": N_("Choose a file."),
    "too-large": N_("The file is too large. A list has at most %(most)d kB: send it in parts."),
    "too-large-inside": N_(
        "The file is small and would become enormous when it is opened, so it was not opened. Save the list again."
    ),
    "too-many-rows": N_("The list has too many rows. Send at most %(most)d at once."),
    "empty": N_("The file has no rows on a visible sheet."),
    "damaged": N_("The file is damaged, or is not complete. Save it again, and send it once more."),
    "password": N_("The file has a password. Save it without one, and send it once more."),
    "no-table": N_("The file is not a list. Save it as CSV, as XLSX or as ODS."),
    "encoding": N_("The file cannot be read as text. Save it as CSV in UTF-8, or as XLSX."),
    "no-headings": N_(
        "No headings were found. The first row needs at least the columns Cognome and Nome, as in the template."
    ),
    "twice": N_("Two columns have the same meaning: %(heading)s. Keep one of them."),
    "nobody": N_("There are headings and no person below them."),
    "changed": N_("The list was changed on its way, or is of another organisation. Send the file again."),
}
MISTAKES = {
    "missing": N_("is empty"),
    "formula": N_("is a formula: save the values"),
    "no-day": N_("is not a date such as 27/3/1971"),
    "no-town": N_("is not a municipality of this programme"),
    "no-gender": N_("write F, M or X"),
    "no-language": N_("write italiano or inglese"),
    "no-employment": N_("is not a situation that is known: see the template"),
    "no-way": N_("neither an e-mail address nor a telephone number: nobody could call the person"),
    "names": N_("write family and given name in two columns, or with a comma between them"),
    "wrong-email": N_("is not an e-mail address"),
    "wrong-phone": N_("is not a telephone number"),
    "wrong-fiscal_code": N_("is not a tax code: compare it with the card"),
    "wrong-birth_year": N_("is not a year of birth that a worker can have"),
    "wrong-employer": N_("is neither a name nor a right VAT number"),
    "wrong-years_in_job": N_("is not a number of years"),
    "wrong-months_out": N_("is too long ago"),
}
OTHERWISE = N_("cannot be accepted as it is written")
OUTCOMES = {
    Outcome.NEW: N_("new referrals"),
    Outcome.CORRECTED: N_("corrected, since they were on an earlier list"),
    Outcome.SAME: N_("already referred and unchanged"),
    Outcome.CLOSED: N_("changed, and already on their way: tell the office what to correct"),
}
REFUSALS = {
    "out-of-order": N_("Today is outside the days on which this programme takes referrals. Nothing was taken."),
    "partner-retired": N_("This organisation does not take part in the programme any more, so it cannot refer people."),
    "no-referrer": N_("This organisation is not one of those that refer people in this programme."),
    "no-such-partner": N_("This organisation is not one of those that refer people in this programme."),
    "not-a-referrer": N_("This organisation is not one of those that refer people in this programme."),
    "unavailable": N_("The service does not answer at this moment. Nothing was taken: send the list again shortly."),
}
HEADS = (N_("Row"), N_("Column"), N_("Value"), N_("What is wrong"))
