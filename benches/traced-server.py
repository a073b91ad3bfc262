"""So many connections, each with one request, to Python's own HTTP server."""
import http.server
import socket
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for _ in range(int(sys.argv[1])):
    with socket.create_connection(server.server_address) as connection:
        connection.send(b"GET / HTTP/1.0\r\n\r\n")
        while connection.recv(1000):
            pass
