"""The objects of the API as it shows them."""
