"""Sends on after the server has closed, with pauses that a person would make. Its standard input is what the server prints."""
import socket
import sys
import time

sys.stdin.readline()
connection = socket.create_connection(("127.0.0.1", 2222))
connection.send(b"hello")
sys.stdin.readline()
time.sleep(0.2)
print("first", connection.send(b"hello"))
time.sleep(0.2)
try:
    connection.send(b"hello")
except BrokenPipeError as error:
    print("second", error)
connection.close()
