"""What a pod sends, held back: what netem and iptables do in a pod's network namespace, done in its process.

docs/decisions/0012 says why. One end is in the pod's process (`channel`, `sockets`, `link`, `outbox`), the other with
the node agent (`pods`); both speak of `fault`s, and `netem` says when a sent byte arrives.
"""
