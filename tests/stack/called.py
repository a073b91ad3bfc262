"""Sends to a peer that has closed until that fails: in a thread, by a generator, in a child."""

import os
import socket
import threading


class Client:
    def reply(self, connection):
        while True:
            connection.send(
                b"hello")  # the call

    def run(self, listener):
        with socket.create_connection(listener.getsockname()) as connection:
            listener.accept()[0].close()
            try:
                self.reply(connection)  # its caller
            except BrokenPipeError as error:
                print(error.strerror, flush=True)


def generated(listener):
    yield Client().run(listener)  # a generator


listener = socket.create_server(("127.0.0.1", 0))
thread = threading.Thread(target=lambda: Client().run(listener))
thread.start()
thread.join()
list(generated(listener))
if os.fork() == 0:
    Client().run(listener)  # a child
    os._exit(0)
os.wait()
