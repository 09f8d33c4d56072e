"""Prints each message that a service sends its service manager, a line of JSON each, until standard input ends."""
import array
import json
import os
import select
import socket
import sys

listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.bind(sys.argv[1])
print(json.dumps(["listening"]), flush=True)
while True:
    ready, _, _ = select.select([listening, sys.stdin], [], [])
    if sys.stdin in ready and not sys.stdin.read(1):
        break
    if listening not in ready:
        continue
    data, extras, _, _ = listening.recvmsg(65536, socket.CMSG_SPACE(16))
    for _, _, content in extras:
        # A barrier: whoever sent it waits until its descriptor is closed.
        for descriptor in array.array("i", content[: len(content) - len(content) % 4]):
            os.close(descriptor)
    print(json.dumps(data.decode().splitlines()), flush=True)
