"""Two homes that pin each other, and a driver that tells their story again and again while things go wrong.

The driver is honest: when the answer to a command is lost, it asks the node what happened before it says anything
again, so that whatever happens twice was done by a node. A command that was answered is written down; at the end
everything that was acknowledged has to be on both sides exactly once.
"""
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

COMITY = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 and not sys.argv[1].startswith("-")
                         else os.environ.get("COMITY", "comity"))
ROLES = ("signer", "keeper", "mill", "mill2", "courier", "door", "witness")
UNAVAILABLE = 7  # exit status: another process, node or disk; try again
PATIENCE_S = 60

os.environ.pop("COMITY_HOME", None)
os.environ.pop("COMITY_CRASH_AT", None)
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
os.environ.setdefault("COMITY_TREATIES", os.path.join(SOURCE, "treaties"))


def fail(text):
    print("not ok -", text, file=sys.stderr)
    for n in Node.all:
        tail = open(n.log, errors="replace").read().splitlines()[-15:] if os.path.exists(n.log) else []
        print("--- " + n.log, *tail, sep="\n", file=sys.stderr)
    sys.exit(1)


def skip(text):
    print("skipped:", text)
    sys.exit(77)


def folder():
    """A folder of this test alone; COMITY_KEEP=1 leaves it there."""
    path = tempfile.mkdtemp(prefix="comity-")
    if os.environ.get("COMITY_KEEP"):
        print("folder:", path)
    else:
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def until(what, look, seconds=PATIENCE_S):
    """The first true value of look(); look.left says what is missing."""
    end = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > end:
            fail("this did not come to pass in %d s: %s: %s" % (seconds, what, getattr(look, "left", "")))
        time.sleep(0.05)


ports = iter(range(20000 + os.getpid() % 9000, 32700))


def port():
    for p in ports:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", p))
                return p
            except OSError:
                pass
    fail("no port is free")


class Failed(Exception):
    def __init__(self, status, text):
        super().__init__("exit status %d: %s" % (status, text))
        self.status, self.text = status, text


def comity(*args, check=True, env=None):
    """Standard output of one command. Failed when it ends otherwise than with 0."""
    p = subprocess.run([COMITY, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, errors="replace", env=env)
    if "Sanitizer" in p.stderr or "runtime error" in p.stderr or p.returncode < 0:
        fail("%s: %d\n%s" % (" ".join(map(str, args)), p.returncode, p.stderr))
    if check and p.returncode != 0:
        if p.stderr.strip() in ("", "comity:") or p.stderr.strip().endswith(":"):
            fail("an error without a sentence: %s: %d %r" % (" ".join(map(str, args)), p.returncode, p.stderr))
        raise Failed(p.returncode, p.stderr.strip())
    return p.stdout


class Node:
    all = []

    def __init__(self, at, party, name, *settings, slot_ms=100):
        self.home, self.log, self.party, self.process = os.path.join(at, party), os.path.join(at, party + ".log"), party, None
        peer, public = port(), port()
        args = ["init", self.home, "--party", party, "--name", name, "--exercise", "--fictional"]
        for s in ("slot_ms=%d" % slot_ms, "leaves_per_slot=8", "in_force_from=2026-01-01T00:00:00.000Z",
                  "listen_peer=127.0.0.1:%d" % peer, "endpoint=https://127.0.0.1:%d" % peer,
                  "listen_public=127.0.0.1:%d" % public, "public_endpoint=https://127.0.0.1:%d" % public,
                  "contact_name=Desk", "phone=+882 99 000 000"):
            args += ["--set", s]
        comity(*args, *settings)
        Node.all.append(self)

    def start(self, **env):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([COMITY, "serve", "--home", self.home], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True, env={**os.environ, **env})
        return self

    def ready(self):
        def look():
            if self.process.poll() is not None:
                fail("%s ended with %d" % (self.party, self.process.returncode))
            try:
                return self.status()
            except Failed:
                return None
        return until("%s answers" % self.party, look)

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            fail("%s does not stop" % self.party)
        finally:
            self.process = None
        self.clean()

    def clean(self):
        """What a sanitizer found in a role stands in the log."""
        with open(self.log, errors="replace") as f:
            for line in f:
                if "Sanitizer" in line or "runtime error" in line:
                    fail("%s: %s" % (self.party, line))

    def roles(self):
        """Pids of the roles that run, by name."""
        found = {}
        try:
            with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
                pids = f.read().split()
        except OSError:
            return found
        for pid in pids:
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if len(words) > 2 and words[1] == b"role":
                found[words[2].decode()] = int(pid)
        return found

    def kill(self, role):
        """Ends one role at once; False when it does not run at this moment."""
        pid = self.roles().get(role)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    # -- commands

    def __call__(self, *args, check=True):
        return comity(*args, "--home", self.home, check=check)

    def json(self, *args):
        return json.loads(self(*args, "--json"))

    def status(self):
        return self.json("status")

    def ask(self, *args):
        """A question: asked until there is an answer."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.json(*args)
            except Failed as e:
                if e.status != UNAVAILABLE or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def act(self, done, *args):
        """An act: when its answer is lost, done() says whether it happened; only when not it is said again."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self(*args)
            except Failed as e:
                if e.status != UNAVAILABLE or time.monotonic() > end:
                    fail("%s: %s: %s" % (self.party, " ".join(map(str, args)), e))
                if done is not None and done():
                    return None
                time.sleep(0.05)


class LoneWitness(Node):
    """The folder of a witness alone, which watches these logs. Its name is name.example/w."""

    def __init__(self, at, name, *logs):
        self.home, self.log, self.party, self.process = os.path.join(at, name), os.path.join(at, name + ".log"), name, None
        self.url = "https://127.0.0.1:%d" % port()
        watched = [word for log in logs for word in ("--log", log)]
        made = json.loads(comity("witness", "init", self.home, "--name", name + ".example/w", "--listen", self.url[len("https://"):],
                                 *watched, "--json"))
        self.vkey = made["vkey"]
        self.line = "witness %s %s %s\n" % (name, made["vkey"], self.url)
        Node.all.append(self)

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([COMITY, "witness", "serve", self.home], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        return self

    def hang(self, stop):
        """The whole process group stands still, its port still open."""
        os.killpg(self.process.pid, signal.SIGSTOP if stop else signal.SIGCONT)


@atexit.register
def stop_all():
    for n in Node.all:
        if n.process is not None and n.process.poll() is None:
            n.process.kill()  # its roles die with it
            n.process.wait()


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

FIELDS = {
    "requesting_authority": {"contact": "+882 99 100 200", "functions": "investigates and prosecutes cybercrime",
                             "name": "Cybercrime Prosecution Office of Arcadia"},
    "offence": {"code": "UNCC-10", "elements": ["intent", "without_right", "serious_hindering", "by_data"],
                "law": "Criminal Code of Arcadia, section 214", "max_penalty_years": 8, "research": "no",
                "title": "interference with an information system"},
    "facts": "The records of a hospital were encrypted through a server in Ruritania, rented by the account user-7731.",
    "data": [{"account": "user-7731", "category": "traffic", "description": "access log of the server",
              "relation": "shows the connections to the hospital", "timezone": "UTC",
              "from": "2026-11-20T00:00:00.000Z", "until": "2026-11-24T00:00:00.000Z"}],
    "confidential": True, "confidential_why": "the suspect would delete what is left",
    "callback": "+882 99 100 201, day and night",
    "rights": {"flags": ["privacy"], "note": "One account, four days of traffic."},
}
PRESERVE = {"custodian": "Nimbus Hosting, Ruritania", "necessity": "The host overwrites its logs after seven days.",
            "intends_mla": True, "status": "new", "urgency_why": "the attack goes on"}
DISCLOSE = {"help_wanted": "Disclosure of the preserved data.", "purpose": "evidence before the Court of Port Arcadia",
            "expedited": True, "expedited_why": "vulnerable", "authorised_by": "Jonas Okoro",
            "domestic_basis": "Code of Criminal Procedure of Arcadia, section 60", "proportionality": "one account, four days"}
ORDER = ["--grounds", "reasonable suspicion of an offence of art. 10", "--scope", "account user-7731", "--proportionality",
         "one account", "--remedy", "complaint to the District Court", "--instrument", "Ruritanian Code, section 88a", "--yes", "--quiet"]
PEOPLE = {"XA": {"Ilse": "rights-reviewer", "Jonas": "authority"},
          "XR": {"Bela": "duty-officer", "Petra": "authority", "Oren": "court", "Lev": "custodian"}}


class Pair:
    """Arcadia and Ruritania, who pin each other without a secretariat."""

    def __init__(self, at, slot_ms=100):
        self.at = at
        nodes = []
        for party, name in (("XA", "Arcadia"), ("XR", "Ruritania")):
            extra = ["--set", "carries_out=42"] if party == "XR" else []
            for person, role in PEOPLE[party].items():
                public = comity("key", "new", "--out", os.path.join(at, person + ".key"), "--name", person).strip()
                extra += ["--approver", "%s:%s:%s" % (person, role, public)]
            nodes.append(Node(at, party, name, *extra, slot_ms=slot_ms))
        self.xa, self.xr = nodes
        for n in nodes:
            n.start()
        for n in nodes:
            n.ready()
        for n in nodes:
            entry = os.path.join(at, n.party + ".entry")
            fingerprint = n.json("register", "describe", "-o", entry)["fingerprint"]
            for home in nodes:  # its own too: whether the Convention binds both stands in the entries
                home("register", "pin", entry, "--fingerprint", fingerprint)
        for name, extra in (("preserve", PRESERVE), ("disclose", DISCLOSE)):
            with open(os.path.join(at, name + ".json"), "w") as f:
                json.dump({**FIELDS, **extra}, f)

    def key(self, person):
        return ["--as", person, "--key", os.path.join(self.at, person + ".key"), "--yes"]


class Story:
    """One case from the first request to the confirmation. step() is called between any two acts."""

    def __init__(self, pair, case, files, step=lambda: None):
        self.p, self.xa, self.xr, self.case, self.files, self.step = pair, pair.xa, pair.xr, case, files, step
        self.acknowledged = []  # what a node said it had done: (node, request, hash)
        self.expected = {}      # statements between the two: (request, kind) -> how many

    def requests(self, node, kind):
        return [r for r in node.ask("request", "list")["requests"] if r["case"] == self.case and r["kind"] == kind]

    def statements(self, node, request, kind=None):
        return [s for s in node.ask("request", "show", request)["statements"] if kind in (None, s["kind"])]

    def wait(self, node, request, *states):
        def look():
            try:
                return node.ask("request", "show", request)["state"] in states
            except Failed:
                return False  # it is not there yet
        until("%s: %s is %s" % (node.party, request, "/".join(states)), look)
        self.step()

    def send(self, kind, fields, *more):
        def drafted():
            return [d["draft"] for d in self.xa.ask("request", "drafts")["drafts"] if d["case"] == self.case and d["kind"] == kind]

        self.xa.act(drafted, "request", "draft", "--kind", kind, "--to", "XR", "--case", self.case, "--officer", "Mara",
                    "--from", os.path.join(self.p.at, fields), "--set", "confidential_until=+60d", *more, "--json")
        self.step()
        draft = drafted()
        if len(draft) != 1:
            fail("%d drafts instead of one" % len(draft))
        for person, command in (("Ilse", "review"), ("Jonas", "approve")):
            def approved(person=person):
                there = json.loads(self.xa("request", "check", draft[0], "--json", check=False) or "{}").get("approvals_there", [])
                return any(a["approver"] == person for a in there)
            self.xa.act(approved, "request", command, draft[0], *self.p.key(person), "--note", "limited to one account")
            self.step()
        answer = self.xa.act(lambda: self.requests(self.xa, kind), "request", "send", draft[0], "--json")
        self.step()
        there = self.requests(self.xa, kind)
        if len(there) != 1:
            fail("%s: %d requests of the case %s instead of one" % (kind, len(there), self.case))
        request = there[0]["id"]
        if answer is not None:
            self.acknowledged.append((self.xa, request, json.loads(answer)["hash"]))
        self.expected[request, kind] = 1
        return request

    def answer(self, request, kind, *command):
        """An act of XR about a request, drafted, approved and sent by one command."""
        before = len(self.statements(self.xr, request, kind))
        self.xr.act(lambda: len(self.statements(self.xr, request, kind)) > before, *command)
        self.step()
        now = self.statements(self.xr, request, kind)
        if len(now) != before + 1:
            fail("%s: %d instead of %d" % (kind, len(now), before + 1))
        self.acknowledged.append((self.xr, request, now[-1]["hash"]))
        self.expected[request, kind] = self.expected.get((request, kind), 0) + 1

    def play(self):
        p, xa, xr = self.p, self.xa, self.xr
        pres = self.pres = self.send("preservation-request", "preserve.json", "--set", "intended_mla_date=+30d", "--set", "answer_by=+1d")
        self.wait(xr, pres, "received")
        self.answer(pres, "acknowledgement", "request", "acknowledge", pres, *p.key("Bela"), "--quiet")
        self.answer(pres, "answer", "request", "accept", pres, *p.key("Petra"), "--hold", "+75d", "--quiet")
        self.answer(pres, "order", "request", "order", pres, "--measure", "preserve", "--expires", "60", "--body", "Prosecution",
                    "--body-kind", "prosecutor", *ORDER, *p.key("Petra")[:-1])
        self.wait(xa, pres, "preserved")
        data = self.data = self.send("stored-data-request", "disclose.json", "--ref", pres)
        self.wait(xr, data, "received")
        self.answer(data, "acknowledgement", "request", "acknowledge", data, *p.key("Bela"), "--quiet")
        self.answer(data, "answer", "request", "accept", data, *p.key("Petra"), "--quiet")
        self.wait(xa, data, "accepted")
        self.add(data)
        self.answer(data, "order", "request", "order", data, "--measure", "disclose", "--expires", "30", "--body", "District Court",
                    "--body-kind", "court", *ORDER, *p.key("Oren")[:-1])
        self.release(data)
        opened = lambda: [x for x in xa.ask("evidence", "list", data)["exhibits"] if x["state"] == "opened"]
        until("all exhibits are opened", lambda: len(opened()) == len(self.files) or self.step())
        self.wait(xr, data, "receipt-confirmed")
        self.expected[data, "confirmation"] = len(self.files)

    def add(self, data):
        for path in self.files:
            def there(name=os.path.basename(path)):
                return [x for x in self.xr.ask("evidence", "list", data)["exhibits"] if x["name"] == name]
            self.xr.act(there, "evidence", "add", data, path, "--quiet")
            self.step()
            if len(there()) != 1:
                fail("%s: %d exhibits instead of one" % (path, len(there())))

    def release(self, data):
        def waiting():
            return [x["id"] for x in self.xr.ask("evidence", "list", data)["exhibits"] if x["state"] == "ready"]

        for exhibit in waiting():
            self.xr.act(lambda exhibit=exhibit: exhibit not in waiting(), "evidence", "release", data, exhibit, "--quiet",
                        "--condition", "40(19): only in the case", *self.p.key("Lev"))
            self.step()
        self.expected[data, "exhibit"] = len(self.files)

    def check(self):
        """Everything acknowledged is there on both sides, exactly once, with its proofs."""
        for n in (self.xa, self.xr):
            def quiet():
                s = n.ask("status")
                waits = {k: s[k] for k in ("outbox_waiting", "proofs_waiting", "proofs_owed", "leaves_waiting") if s[k]}
                quiet.left = "%s, %s" % (waits, s["undelivered"])
                return not waits
            until("%s has delivered everything, and has all proofs" % n.party, quiet)
        for request in (self.pres, self.data):
            sides = [{s["hash"]: s for s in self.statements(n, request) if s["from"] != s["to"]} for n in (self.xa, self.xr)]
            if set(sides[0]) != set(sides[1]):
                fail("the two sides hold different statements of %s: %s" % (request, set(sides[0]) ^ set(sides[1])))
            count = {}
            for s in sides[0].values():
                count[s["kind"]] = count.get(s["kind"], 0) + 1
                own = next(side[s["hash"]] for side, n in zip(sides, ("XA", "XR")) if s["from"] == n)
                if own["receipt"] != "received" or not own["proof"] or not own["logged"]:
                    fail("%s %s: receipt %r, proof %r" % (s["kind"], s["hash"], own["receipt"], own["proof"]))
            expected = {kind: n for (r, kind), n in self.expected.items() if r == request}
            if count != expected:
                fail("statements of %s: %s instead of %s" % (request, count, expected))
        for n, request, digest in self.acknowledged:
            if digest not in [s["hash"] for s in self.statements(n, request)]:
                fail("%s acknowledged %s and has lost it" % (n.party, digest))
        for n, state in ((self.xr, "released"), (self.xa, "opened")):
            there = n.ask("evidence", "list", self.data)["exhibits"]
            if sorted(x["name"] for x in there) != sorted(map(os.path.basename, self.files)) or {x["state"] for x in there} != {state}:
                fail("%s: exhibits: %s" % (n.party, [(x["name"], x["state"]) for x in there]))
        self.check_custody()

    def check_custody(self):
        """At the source: taken in, sealed, handed over; at the receiver: accepted. Each once for each exhibit."""
        for n, events in ((self.xr, 3), (self.xa, 1)):
            got = len([s for s in self.statements(n, self.data, "custody") if s["own"]])
            if got != events * len(self.files):
                fail("%s: %d custody events instead of %d" % (n.party, got, events * len(self.files)))

    def package(self):
        out = os.path.join(self.p.at, "package-" + self.case)
        self.xa("package", "write", self.data, "--out", out, "--quiet")
        verdict = json.loads(comity("verify", out, "--json", "--quiet"))
        if verdict["result"] not in ("intact", "intact-unconfirmed"):
            fail("the package is not intact: %s" % json.dumps(verdict)[:400])


def audit(*nodes):
    """Homes without a fault, and logs that hash up to their checkpoint."""
    for n in nodes:
        n.clean()

        def sound():
            found = n.json("doctor")
            return found["ok"] and found
        try:
            sound() or fail("doctor of %s: %s" % (n.party, n("doctor", check=False)))
        except Failed as e:
            fail("doctor of %s: %s\n%s" % (n.party, e, n("doctor", check=False)))

        def asked():
            return n.json("log", "audit", "--quiet"), n.json("log", "show")["vkey"]
        try:
            audited, key = asked()
        except Failed:
            n.ready()  # a node that was made to die is starting again
            audited, key = asked()
        if not audited["ok"]:
            fail("log audit of %s: %s" % (n.party, audited))
        comity("log", "verify", os.path.join(n.home, "log"), "--key", key)


def evidence(at, *sizes):
    files = []
    for i, size in enumerate(sizes):
        files.append(os.path.join(at, "exhibit-%d.bin" % i))
        with open(files[-1], "wb") as f:
            f.write(bytes((i + k * 7) & 255 for k in range(min(size, 4096))) * (size // 4096 + 1))
            f.truncate(size)
    return files
