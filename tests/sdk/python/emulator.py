"""Runs the emulator as a process and calls its control API. This file uses no client library."""

import os
import pathlib
import signal
import subprocess

import requests

# The control API responds as soon as the event has happened; a test that waits for longer than this fails.
PATIENCE_S = 20
# A fixed seed makes failures repeatable; its value doesn't matter.
SEED = "2017"


class Problem(Exception):
    """A refusal by the control API (RFC 9457)."""

    def __init__(self, response):
        super().__init__("%s %s: %s" % (response.status_code, response.url, response.text))
        self.status = response.status_code
        self.body = response.json()


class Emulator:
    """`fauxfax serve` on a free port, with a minimal environment plus `variables` and without a configuration file."""

    # Whether clients call Twilio's host names, which only their environment directs to the emulator.
    under_twilios_name = False

    @classmethod
    def around_the_tests(cls, url):
        """Returns the running emulator in whose environment the tests were started."""
        emulator = cls.__new__(cls)
        emulator.url = url
        emulator.under_twilios_name = True
        emulator.process = None
        # Like an app, the session uses the environment's proxy, from which the environment exempts this machine.
        emulator.session = requests.Session()
        return emulator

    def origin(self, product="fax"):
        """Returns the scheme and host of the URLs in the resources that clients get."""
        return "https://%s.twilio.com" % product if self.under_twilios_name else self.url

    def __init__(self, binary, folder, *flags, variables=None):
        port_file = pathlib.Path(folder) / "port"
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--port-file", str(port_file)]
        command += ["--seed", SEED, "--pace", "max", *flags]
        kept = ("PATH", "LANG", "RUST_BACKTRACE")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment.update(variables or {})
        self.log = open(pathlib.Path(folder) / "log", "w+")
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        # The line arrives once the emulator is ready. If the emulator can't start, the pipe ends instead.
        self.ready = self.process.stdout.readline().split()
        assert self.ready[:2] == ["fauxfax", "ready"], self.failed_start()
        self.url = self.ready[2]
        assert self.url == "http://127.0.0.1:%d" % int(port_file.read_text())
        self.session = requests.Session()
        self.session.trust_env = False

    def failed_start(self):
        self.process.kill()
        self.process.wait()
        self.log.seek(0)
        return "the emulator did not start: %r\n%s" % (self.ready, self.log.read())

    def stop(self):
        """Stops the emulator with SIGTERM, as an init system would, and checks that it exits with 0."""
        self.session.close()
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=PATIENCE_S)
        self.process.stdout.close()
        self.log.close()
        assert status == 0, "SIGTERM ended the emulator with %d" % status

    def control(self, method, path, account=None, expect=200, json=None, **query):
        """Calls the control API and returns the JSON. Raises `Problem` for any other status than the expected one."""
        if account:
            query["account"] = account
        response = self.session.request(
            method, self.url + "/_fauxfax/v1" + path, params=query, json=json, timeout=PATIENCE_S + 10
        )
        if response.status_code != expect:
            raise Problem(response)
        return response.json() if response.content else None

    def receive(self, account, file=None, **fields):
        """Makes a fax machine call a number of the account, and returns the conversation once it has ended."""
        query = {"account": account, "wait": "true", "timeout": PATIENCE_S}
        url = self.url + "/_fauxfax/v1/incoming-faxes"
        if file is None:
            response = self.session.post(url, params=query, json=fields, timeout=PATIENCE_S + 10)
        else:
            response = self.session.post(
                url, params=query, data=fields, files={"file": file}, timeout=PATIENCE_S + 10
            )
        if response.status_code != 200:
            raise Problem(response)
        return response.json()

    def wait(self, account, fax, status, since=0):
        """Waits until the fax has entered the status, or one of several, after `since`."""
        return self.control("GET", "/wait", account, fax=fax, status=status, since=since, timeout=PATIENCE_S)

    def settle(self, account):
        """Waits until nothing of the account is pending, callbacks included."""
        return self.control("GET", "/wait", account, **{"for": "idle", "timeout": PATIENCE_S})

    def events(self, account, **query):
        return self.control("GET", "/events", account, **query)["events"]
