"""What more than one service needs. No business noun enters but money."""
