"""What the formation engine is measured on, and how."""
