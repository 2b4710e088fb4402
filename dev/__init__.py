"""What stands behind the Makefile; on the standard library alone."""
