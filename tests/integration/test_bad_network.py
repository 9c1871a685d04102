"""What strangers may send to the ports of a service; it stays alive and says no."""
import os
import random
import re
import resource
import socket
import ssl
import subprocess

from harness import FarfieldTest, main, tool, wait_for

GIGABYTE = 1 << 30
CROWD = 1100  # more than the service lets in at a time
LOCKED_OUT = 15  # s; less than a wait and an idle connection may last


class BadNetwork(FarfieldTest):
    alive_afterwards = True

    def setUp(self):
        super().setUp()
        self.ff.up("echo")

    def router(self):
        """(address, key) of the port for endpoints."""
        with open(os.path.join(self.ff.home, "endpoints", "local", "registration"), encoding="utf-8") as file:
            found = dict(re.findall(r"^(router|router_key):\s*[\"']?([^\"'\n]+)", file.read(), re.MULTILINE))
        return found["router"], found["router_key"]

    def test_a_foreign_key_on_the_port_for_endpoints(self):
        address, key = self.router()
        self.assertEqual(tool("curve_tool", "knock", address, key), "refused")
        self.assertTrue(self.ff.json("endpoint", "status", "local")["connected"])

    def test_frames_that_are_no_messages(self):
        address, key = self.router()
        keys = os.path.join(self.ff.home, "endpoints", "local", "curve")
        self.ff.run("endpoint", "stop", "local")
        for frame in ("ff", "ddff000000", "92019190", "00" * 5000, "9201dfffffffff"):
            tool("curve_tool", "send", address, key, keys, frame)
        self.ff.start_endpoint()

    def test_random_bytes_on_both_ports(self):
        noise = random.Random(1)
        for port in self.ff.ports() * 10:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                try:
                    connection.sendall(noise.randbytes(noise.randrange(1, 20000)))
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(2)
                    while connection.recv(4096):
                        pass
                except OSError:
                    pass  # it may hang up at any time

    def test_random_bytes_inside_the_encryption(self):
        noise = random.Random(2)
        context = self.ff.tls()
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", self.ff.ports()[0]), timeout=30) as plain, \
                    context.wrap_socket(plain) as connection:
                try:
                    connection.sendall(noise.randbytes(5000) + b"\r\n\r\n")
                    while connection.recv(4096):
                        pass
                except OSError:
                    pass

    def test_clear_text_is_not_answered_with_anything_useful(self):
        with socket.create_connection(("127.0.0.1", self.ff.ports()[0]), timeout=30) as connection:
            connection.sendall(b"GET /v2/functions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                               + self.ff.config()["token"].encode() + b"\r\n\r\n")
            try:
                self.assertNotIn(b"200", connection.recv(4096))
            except OSError:
                pass

    def send_body(self, path, size, declared):
        """Streams a body and returns the HTTP status, or None when the service hung up first."""
        connection = self.ff.connection(timeout=120)
        connection.putrequest("POST", path)
        connection.putheader("Authorization", "Bearer " + self.ff.config()["token"])
        connection.putheader("Content-Type", "application/json")
        if declared:
            connection.putheader("Content-Length", str(size))
        else:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        piece = b"x" * (1 << 20)
        try:
            for _ in range(size // len(piece)):
                connection.send(piece if declared else b"%x\r\n%s\r\n" % (len(piece), piece))
            if not declared:
                connection.send(b"0\r\n\r\n")
        except OSError:
            pass  # refused before all of it was sent
        try:
            return connection.getresponse().status
        except (OSError, Exception):  # pylint: disable=broad-except
            return None
        finally:
            connection.close()

    def resident(self):
        with open(f"/proc/{self.ff.service_pid()}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s*(\d+)", file.read()).group(1)) * 1024

    def test_a_request_body_of_a_gigabyte(self):
        for declared in (True, False):
            self.assertIn(self.send_body("/v3/endpoints/local/submit", GIGABYTE, declared), (413, None))
        if not os.environ.get("FF_SANITIZER"):
            self.assertLess(self.resident(), 200 << 20)

    def test_malformed_requests_are_answered(self):
        cases = (("POST", "/v3/functions", b"{"), ("POST", "/v3/functions", b"[]"),
                 ("POST", "/v3/functions", b"\xff\xfe"), ("POST", "/v3/endpoints/local/submit", b'{"tasks": 3}'),
                 ("GET", "/v2/tasks/../../etc", None),
                 ("POST", "/v3/functions", b'{"function_name": "long", "kind": "shell", "function_code": "%s"}'
                  % (b":" * 1100000)),
                 ("GET", "/v2/nothing", None), ("DELETE", "/v2/functions", None), ("BREW", "/v2/functions", None),
                 ("POST", "/v3/functions", b"[" * 100000), ("GET", "/v2/tasks?limit=-1", None),
                 ("GET", "/v2/tasks?limit=99999999999999999999", None), ("GET", "/%00", None))
        for method, path, body in cases:
            connection = self.ff.connection()
            connection.request(method, path, body=body, headers=self.ff.bearer())
            status = connection.getresponse().status
            self.assertTrue(400 <= status < 500 or (status == 200 and "limit" in path), (method, path, status))
            connection.close()

    def test_a_slow_client_holds_up_nobody(self):
        context = self.ff.tls()
        idle = []
        for _ in range(50):
            plain = socket.create_connection(("127.0.0.1", self.ff.ports()[0]), timeout=30)
            idle.append(context.wrap_socket(plain))
            idle[-1].sendall(b"POST /v3/functions HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        self.assert_alive()
        for connection in idle:
            connection.close()

    def crowd(self, request):
        """More connections than the service has, each with these bytes sent on it."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 2 * CROWD:
            self.skipTest(f"{CROWD} connections need more than {hard} descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * CROWD), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        context = self.ff.tls()
        held = []
        for _ in range(CROWD):
            plain = socket.create_connection(("127.0.0.1", self.ff.ports()[0]), timeout=LOCKED_OUT)
            held.append(context.wrap_socket(plain))
            held[-1].sendall(request)
        return held

    def test_clients_that_never_finish_a_request_lock_nobody_out(self):
        held = self.crowd(b"GET /v2/version HTTP/1.1\r\nHost: x\r\nX: ")
        self.assert_alive()
        for connection in held:
            connection.close()

    def test_waits_that_their_clients_left_lock_nobody_out(self):
        self.ff.configure("away")
        task = self.ff.submit("echo", {}, endpoint="away")
        request = f"GET /v2/tasks/{task}?wait_ms=25000 HTTP/1.1\r\nHost: x\r\n" \
                  f"Authorization: {self.ff.bearer()['Authorization']}\r\n\r\n"
        for connection in self.crowd(request.encode()):
            connection.close()
        connection = self.ff.connection(timeout=LOCKED_OUT)
        connection.request("GET", "/v3/status", headers=self.ff.bearer())
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def test_another_service_with_another_certificate_is_not_trusted(self):
        folder = os.path.join(self.ff.folder, "foreign")
        os.mkdir(folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "certificate.pem",
                        "-days", "1"], cwd=folder, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem"))
        listener = socket.create_server(("127.0.0.1", 0))
        config = os.path.join(self.ff.home, "config.yaml")
        with open(config, encoding="utf-8") as file:
            good = file.read()
        with open(config, "w", encoding="utf-8") as file:
            file.write(good.replace(f":{self.ff.ports()[0]}", f":{listener.getsockname()[1]}"))
        client = self.ff.start("function", "list")
        plain, _ = listener.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as connection:
                self.assertEqual(connection.recv(4096), b"", "the token was sent to a stranger")
        except (ssl.SSLError, OSError):
            pass
        listener.close()
        _, said = client.communicate(timeout=120)
        self.assertNotEqual(client.returncode, 0)
        self.assertIn("certificate", said.lower())
        with open(config, "w", encoding="utf-8") as file:
            file.write(good)
        wait_for(lambda: self.ff.run("function", "list"), "the real service")


if __name__ == "__main__":
    main()
