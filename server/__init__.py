"""The process: settings, assembly, transport, HTTP and command line."""

__version__ = "0.1.0"
