"""HL7 v2 over MLLP: the door for machines that speak it, in a process of its own.

judge       may this message be accepted, and by which feed did it come
writer      messages of all connections that wait, in one transaction
connection  one sender: frames in, acknowledgements out
application what became of a message, for senders who ask (MSH-16)
server      the listener, its bounds and its TLS
"""
