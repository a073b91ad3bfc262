"""Ends its request with another marker, says that it has no more to say, and reads the answer two bytes at a time."""
import socket
import sys

sys.stdin.readline()
connection = socket.create_connection(("127.0.0.1", 4444))
connection.sendall(b"tea for two<client ends>")
sys.stdin.readline()
connection.shutdown(socket.SHUT_WR)
answer = b""
while piece := connection.recv(2):
    answer += piece
print(answer.decode())
connection.close()
