"""Notifications: the rules of telling, mail over real SMTP, and partners' feeds on a real bus."""
