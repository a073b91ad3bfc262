"""Says ping, pang and exit, and then ping and pang again. It dies of SIGPIPE, as a program in C does."""
import signal
import socket
import sys
import time

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
sys.stdin.readline()
connection = socket.create_connection(("127.0.0.1", 10100))
for word in (b"pingr", b"pangr", b"exitr"):
    connection.send(word)
    sys.stdin.readline()
for word in (b"pingr", b"pangr"):
    time.sleep(0.2)
    print(connection.send(word), flush=True)
