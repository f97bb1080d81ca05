"""What a map shows, without coordinates."""
