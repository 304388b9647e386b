"""Texts of the survey page in each of its languages; the questions come from the instrument."""

LANGUAGES = {"it": "Italiano", "en": "English"}

WORDS: dict[str, dict[str, str]] = {
    "it": {
        "intro": "Le risposte sono riservate: nessuno le legge con il tuo nome.",
        "all": "Rispondi a tutte le domande, poi premi «Invia».",
        "most": "Rispondi a tutte le domande a cui puoi rispondere, poi premi «Invia».",
        "scale": "Da {least} a {most}.",
        "due": "Entro il {day:%d/%m/%Y}.",
        "send": "Invia",
        "language": "Lingua",
        "errors": "Il questionario non è stato inviato. Le risposte che hai dato sono ancora qui.",
        "unanswered": "Manca la risposta.",
        "out-of-range": "La risposta va da {least} a {most}.",
        "later": "Il servizio non risponde in questo momento. Riprova fra poco: le risposte sono ancora qui.",
        "no-consent": "Non hai dato il consenso alla ricerca, o lo hai ritirato: non ti chiediamo nulla.",
        "submitted": "Grazie: le tue risposte sono arrivate.",
        "closed": "Questo questionario non è aperto.",
        "no-such-link": "Questo collegamento non è più valido. Se ti serve, chiedine uno nuovo a chi ti ha accolto.",
    },
    "en": {
        "intro": "Your answers are confidential: nobody reads them with your name.",
        "all": "Answer every question, then press “Send”.",
        "most": "Answer every question that you can answer, then press “Send”.",
        "scale": "From {least} to {most}.",
        "due": "By {day:%d/%m/%Y}.",
        "send": "Send",
        "language": "Language",
        "errors": "The questionnaire was not sent. The answers you gave are still here.",
        "unanswered": "There is no answer.",
        "out-of-range": "The answer goes from {least} to {most}.",
        "later": "The service does not answer at this moment. Try again shortly: your answers are still here.",
        "no-consent": "You have not consented to research, or withdrew it: we ask you nothing.",
        "submitted": "Thank you: your answers have arrived.",
        "closed": "This questionnaire is not open.",
        "no-such-link": "This link is not valid any more. If you need one, ask whoever welcomed you.",
    },
}
