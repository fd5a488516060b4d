"""REST: each route checks nothing but its shape, and asks the service behind that owns the matter."""
