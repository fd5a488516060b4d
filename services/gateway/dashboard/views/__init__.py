"""What templates are given: values ready to be shown, made by pure functions."""
