"""Notifications: the rules, mail over real SMTP, and partners' feeds on a real bus."""
