"""The only code that opens sockets to mail servers and identity providers."""
