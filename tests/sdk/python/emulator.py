"""The emulator as a process, and its control API. Nothing here knows a client library."""

import os
import pathlib
import signal
import subprocess

import requests

# Answers of the control API come when something has happened; this is only for what never does.
PATIENCE_S = 20
# What the seed is does not matter, only that a failure can be repeated.
SEED = "2017"


class Problem(Exception):
    """A refusal of the control API (RFC 9457)."""

    def __init__(self, response):
        super().__init__("%s %s: %s" % (response.status_code, response.url, response.text))
        self.status = response.status_code
        self.body = response.json()


class Emulator:
    """`fauxfax serve` on a free port, with no environment but `variables` and no configuration file."""

    # Whether clients reach it under Twilio's own name: their environment leads there, not their base URL.
    under_twilios_name = False

    @classmethod
    def around_the_tests(cls, url):
        """The emulator that runs already, in whose environment the tests were started."""
        emulator = cls.__new__(cls)
        emulator.url = url
        emulator.under_twilios_name = True
        emulator.process = None
        # Documents are downloaded as an app would, through the environment; this machine is reached without the proxy.
        emulator.session = requests.Session()
        return emulator

    def origin(self, product="fax"):
        """Scheme and host of the resources that clients see."""
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
        # The line comes when the emulator is ready, or the pipe ends.
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
        """Stops it as an init system would, and holds it to a clean end."""
        self.session.close()
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=PATIENCE_S)
        self.process.stdout.close()
        self.log.close()
        assert status == 0, "SIGTERM ended the emulator with %d" % status

    def control(self, method, path, account=None, expect=200, json=None, **query):
        """A call of the control API; anything but the expected status is a `Problem`."""
        if account:
            query["account"] = account
        response = self.session.request(
            method, self.url + "/_fauxfax/v1" + path, params=query, json=json, timeout=PATIENCE_S + 10
        )
        if response.status_code != expect:
            raise Problem(response)
        return response.json() if response.content else None

    def receive(self, account, file=None, **fields):
        """A machine calls a number of the account; answers when the conversation has ended."""
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
        """Answers the moment the fax has entered the status after `since`."""
        return self.control("GET", "/wait", account, fax=fax, status=status, since=since, timeout=PATIENCE_S)

    def settle(self, account):
        """Answers when nothing of the account is pending, callbacks included."""
        return self.control("GET", "/wait", account, **{"for": "idle", "timeout": PATIENCE_S})

    def events(self, account, **query):
        return self.control("GET", "/events", account, **query)["events"]
