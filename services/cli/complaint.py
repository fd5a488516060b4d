"""How a command says no."""


class Complaint(Exception):
    """Something that the person at the terminal can put right. The message is a sentence that says how."""
