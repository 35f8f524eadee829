"""What a tester may see of the venue and do to it: the control API, without a socket.

``gateway``: requests to answers. ``reads``: what can be seen. ``actions``: what can be done. ``served_faults``: the
fault schedule's hands. ``fields``: arguments and what is wrong with them. ``page``: the status page.
"""
