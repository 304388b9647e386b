"""The path to other services: the catalogue, sign-posting, and requests with their answers."""
