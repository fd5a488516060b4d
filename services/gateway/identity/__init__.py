"""Who is at the door: passwords, sessions, API tokens, and what each may do."""
