"""The page with the outcomes of our referrals, in Italian, for any screen and any reader. It reads the store, and writes nothing."""

import sqlite3
import sys
import threading
from contextlib import closing
from datetime import date
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STEPS = {
    "referred": "Segnalazione",
    "admitted": "Ammissione",
    "declined": "Non ammissione",
    "seated": "Posto in un gruppo",
    "withdrew": "Uscita",
}
REASONS = {
    "found-work": "ha trovato lavoro",
    "no-time": "non ha tempo",
    "illness": "malattia",
    "moved-away": "si è trasferita altrove",
    "consent-withdrawn": "non vuole più partecipare",
    "other": "altro motivo",
}
PAGE = """<!doctype html>
<html lang="it">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Le nostre segnalazioni</title>
<style>
  body {{ font: 1.125rem/1.5 system-ui, sans-serif; color: #17324d; background: #fff; margin: 0 auto; max-width: 60rem; padding: 1rem }}
  table {{ border-collapse: collapse; width: 100% }}
  caption {{ text-align: left; padding: .5rem 0 }}
  th, td {{ text-align: left; padding: .5rem; border-bottom: 1px solid #5c6f82; vertical-align: top }}
  @media (max-width: 40rem) {{
    thead {{ position: absolute; clip-path: inset(50%) }}
    tr {{ display: block; padding: .5rem 0; border-bottom: 2px solid #17324d }}
    th, td {{ display: block; border: 0; padding: .125rem 0 }}
    td::before {{ content: attr(data-step) ": "; font-weight: 600 }}
    td:empty {{ display: none }}
  }}
</style>
</head>
<body>
<main>
<h1>Che cosa è stato delle nostre segnalazioni</h1>
<p>{summary}</p>
<table>
<caption>Ogni riga è una persona, con lo pseudonimo che ha presso di noi; le date dicono quando ha raggiunto ogni passo.</caption>
<thead><tr><th scope="col">Persona</th>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</main>
</body>
</html>
"""


def serve(store: Path, port: int) -> None:
    """Serve the page on this machine for as long as the program runs."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            body = page(people(store)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing, so that no reader of the page is recorded."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"La pagina è su http://127.0.0.1:{server.server_port}", file=sys.stderr)


def people(store: Path) -> list[sqlite3.Row]:
    """The live rows, newest referral first; none before the first entry."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'outcomes'").fetchone():
            return []
        return database.execute("SELECT * FROM outcomes ORDER BY referred DESC, key").fetchall()


def page(rows: list[sqlite3.Row]) -> str:
    """The page as an HTML document."""
    reached = {step: sum(row[step] is not None for row in rows) for step in STEPS}
    summary = (
        f"Persone segnalate: {len(rows)}. Ammesse: {reached['admitted']}. Con un posto in un gruppo: {reached['seated']}. "
        f"Uscite: {reached['withdrew']}."
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in STEPS.values())
    return PAGE.format(summary=summary, heads=heads, rows="\n".join(map(_row, rows)))


def _row(row: sqlite3.Row) -> str:
    cells = "".join(
        f'<td data-step="{name}">{_day(row[step])}{_reason(row, step)}</td>' for step, name in STEPS.items()
    )
    return f'<tr><th scope="row">{escape(row["key"][:8])}</th>{cells}</tr>'


def _day(day: str | None) -> str:
    return f'<time datetime="{escape(day)}">{date.fromisoformat(day):%d/%m/%Y}</time>' if day else ""


def _reason(row: sqlite3.Row, step: str) -> str:
    return f" ({escape(REASONS.get(row['reason'], row['reason']))})" if step == "withdrew" and row["reason"] else ""
