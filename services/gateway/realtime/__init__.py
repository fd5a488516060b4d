"""Live updates: from the bus, through one hub in each replica, to its sockets."""
