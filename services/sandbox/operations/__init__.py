"""The API's operations: each takes a call and returns the object to answer with."""
