"""Every family of calls once: poll, select, epoll, iovecs, options, copies, a helper program, a linger of 0, a refusal."""

import os
import select
import socket
import struct
import subprocess

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(5)
address = listener.getsockname()

client = socket.socket()
client.setblocking(False)
try:
    client.connect(address)
except BlockingIOError:
    pass
poll = select.poll()
poll.register(client, select.POLLOUT)
poll.poll(1000)
client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
client.setblocking(True)
server, _ = listener.accept()

client.sendmsg([b"ab", b"cd"])
select.select([server], [], [], 1)
server.recvmsg(100)
os.writev(server.fileno(), [b"12", b"345"])
epoll = select.epoll()
epoll.register(client.fileno(), select.EPOLLIN | select.EPOLLRDHUP)
epoll.poll(1)
os.readv(client.fileno(), [bytearray(3), bytearray(100)])
epoll.close()

with open("/dev/zero", "rb") as zero:
    os.write(client.fileno(), zero.read(7))
server.recv(3, socket.MSG_PEEK)
os.read(server.fileno(), 100)

copy = os.dup(client.fileno())
os.set_inheritable(copy, True)
subprocess.run(["true"], close_fds=False)
os.close(copy)
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
client.close()
try:
    server.recv(10)
except ConnectionResetError:
    pass
server.close()
listener.close()

refused = socket.socket()
try:
    refused.connect(address)
except ConnectionRefusedError:
    pass
refused.close()
