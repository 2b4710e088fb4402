"""The peers of one comparison: each is a program that takes a port and says ``listening``.

All keep one contract, on the namespace ``/``: who connects is in the room ``room``; ``echo`` is
acknowledged with its argument; ``bcast`` sends ``msg``, with its argument, to the room. None
compresses, and all have the heartbeat that is Socket.IO's default on Node.js. Two of them may be
nodes of one cluster: then they are given the URL of a Redis behind the port.
"""
