"""The front of the site: sign-in, web sessions, personal accounts, our own issuer, and the tokens that services see instead of cookies.

Imports every package below `embedded`. `embedded` and `cli` may import it.
Invariants: a service sees bearer tokens alone, and never a cookie of the site. The database of the site opens no web session by itself.
"""
