"""One small file a peer: the same network, data, batch and optimizer, in that library's own best honest form.

A peer is a script that serves ``python -m bench``: it gets ready, prints a line, and then runs its work once a line on
its standard input (see ``_serve``). It knows nothing of the other peers.
"""
