"""Homes for the benches: made in a folder of their own, served on loopback, stopped at the end. Python's
standard library only."""
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault('COMITY_TREATIES', os.path.join(SOURCE, 'treaties'))
os.environ.setdefault('COMITY_LOCALE', os.path.join(SOURCE, 'locale'))
os.environ.pop('COMITY_HOME', None)
TICKS = os.sysconf('SC_CLK_TCK')
ROLES = ['parent', 'door', 'courier', 'keeper', 'signer', 'mill', 'mill2']


def die(words):
    sys.exit('bench: ' + words)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Bench:
    """Everything below one folder, with one executable."""

    def __init__(self, comity, folder):
        self.comity = os.path.abspath(comity)
        self.folder = folder
        self.homes = {}
        atexit.register(self.stop)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def run(self, *args, home=None, check=True):
        argv = [self.comity, *args] + (['--home', home.path] if home else [])
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if check and done.returncode != 0:
            die('%s failed (%d): %s' % (' '.join(argv), done.returncode, (done.stderr or done.stdout)[-2000:]))
        return done.stdout if check else done.returncode == 0

    def soon(self, what, seconds=20):
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() > end:
                die('a step did not come to pass in time')
            time.sleep(0.05)

    def person(self, file, name):
        """A key file; returns the public key."""
        return self.run('key', 'new', '--out', self.path(file), '--name', name).strip()

    def home(self, party, name, **options):
        h = Home(self, party, name, **options)
        self.homes[party] = h
        return h

    def stop(self):
        for h in self.homes.values():
            h.stop()


class Home:
    def __init__(self, bench, party, name, settings=None, approvers=()):
        self.bench, self.party, self.serve = bench, party, None
        self.path = bench.path(party)
        peer, public = free_port(), free_port()
        self.public = 'https://127.0.0.1:%d' % public
        every = dict(in_force_from='2026-01-01T00:00:00.000Z', listen_peer='127.0.0.1:%d' % peer,
                     endpoint='https://127.0.0.1:%d' % peer, listen_public='127.0.0.1:%d' % public,
                     public_endpoint=self.public, contact_name='Desk of ' + name, phone='+882 99 000 100',
                     callback='+882 99 000 101', authority=party + '-24/7', **(settings or {}))
        argv = ['init', self.path, '--party', party, '--name', name, '--exercise', '--fictional', '--json']
        for key, value in every.items():
            argv += ['--set', '%s=%s' % (key, value)]
        for a in approvers:
            argv += ['--approver', a]
        self.made = json.loads(bench.run(*argv))

    def start(self):
        begun = time.monotonic()
        with open(self.path + '.log', 'ab') as log:
            self.serve = subprocess.Popen([self.bench.comity, 'serve', '--home', self.path], stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, start_new_session=True)
        wait = self.path + '/run/comity.sock'
        while not self.answers(wait):
            if self.serve.poll() is not None or time.monotonic() > begun + 20:
                die('%s does not start: see %s.log' % (self.party, self.path))
            time.sleep(0.002)
        return time.monotonic() - begun

    def answers(self, path):
        """One call over the local socket, without the cost of starting a process."""
        try:
            self.call('status')
            return True
        except OSError:
            return False

    def call(self, verb, value=None):
        body = json.dumps(value or {}).encode()
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(self.path + '/run/comity.sock')
            s.sendall(b'POST /api/%s HTTP/1.1\r\nHost: comity\r\nContent-Type: application/json\r\nConnection: close\r\n'
                      b'Content-Length: %d\r\n\r\n' % (verb.encode(), len(body)) + body)
            answer = b''
            while True:
                part = s.recv(65536)
                if not part:
                    break
                answer += part
        head, _, rest = answer.partition(b'\r\n\r\n')
        if not head.startswith(b'HTTP/1.1 200'):
            raise OSError(head.split(b'\r\n')[0].decode() + ' ' + rest.decode(errors='replace'))
        return json.loads(rest)

    def roles(self):
        """Process id of each role."""
        found = {'parent': self.serve.pid}
        for pid in os.listdir('/proc'):
            if not pid.isdigit():
                continue
            try:
                with open('/proc/%s/stat' % pid) as f:
                    parent = int(f.read().rpartition(')')[2].split()[1])
                with open('/proc/%s/cmdline' % pid, 'rb') as f:
                    words = f.read().split(b'\0')
            except OSError:
                continue
            if parent == self.serve.pid and b'role' in words:
                found[words[words.index(b'role') + 1].decode()] = int(pid)
        return found

    def cpu(self):
        """Processor seconds that each role has used so far."""
        used = {}
        for role, pid in self.roles().items():
            with open('/proc/%d/stat' % pid) as f:
                fields = f.read().rpartition(')')[2].split()
            used[role] = (int(fields[11]) + int(fields[12])) / TICKS
        return used

    def pss_kib(self):
        """Memory of each role, shared pages divided among those who share them."""
        pss = {}
        for role, pid in self.roles().items():
            with open('/proc/%d/smaps_rollup' % pid) as f:
                pss[role] = next(int(line.split()[1]) for line in f if line.startswith('Pss:'))
        return pss

    def stop(self):
        if self.serve is None or self.serve.poll() is not None:
            return
        self.serve.send_signal(signal.SIGTERM)
        try:
            self.serve.wait(20)
        except subprocess.TimeoutExpired:
            self.serve.kill()
            self.serve.wait()


def secretariat_begins(bench, xs):
    """Starts the Secretariat's node under a trust root of two of three keys; returns its fingerprint."""
    root = json.loads(bench.run('register', 'root', '--keys-dir', bench.path('roots'), '--keys', '3', '--threshold', '2',
                                '--offline', '-o', bench.path('root.json'), '--json', home=xs))['fingerprint']
    conf = os.path.join(xs.path, 'comity.conf')
    with open(conf) as f:
        text = f.read()
    with open(conf, 'w') as f:
        f.writelines('trust_root = %s\n' % root if line.startswith('trust_root =') else line + '\n'
                     for line in text.splitlines())
    xs.start()
    bench.run('register', 'root', '--envelope', bench.path('root.json'), home=xs)
    return root


def two_states(bench, settings):
    """Arcadia and Ruritania in a register that the Secretariat published; the Secretariat is stopped again."""
    xs = bench.home('XS', 'Secretariat', settings=dict(slot_ms=200, leaves_per_slot=8))
    root = secretariat_begins(bench, xs)
    known = dict(settings, trust_root=root, register_url=xs.public, register_pin=xs.made['tls'])
    ilse, jonas = bench.person('ilse.key', 'Ilse Brandt'), bench.person('jonas.key', 'Jonas Okoro')
    petra, oren = bench.person('petra.key', 'Petra Novak'), bench.person('oren.key', 'Judge Oren')
    lev = bench.person('lev.key', 'Lev Stein')
    bench.home('XA', 'Arcadia', settings=known,
               approvers=['Ilse Brandt:rights-reviewer:' + ilse, 'Jonas Okoro:authority:' + jonas])
    bench.home('XR', 'Ruritania', settings=dict(known, carries_out='42'),
               approvers=['Petra Novak:authority,duty-officer:' + petra, 'Judge Oren:court:' + oren, 'Lev Stein:custodian:' + lev])
    for party in ('XA', 'XR'):
        bench.homes[party].start()
    for party in ('XS', 'XA', 'XR'):
        bench.run('register', 'describe', '-o', bench.path(party + '.entry'), home=bench.homes[party])
        bench.run('register', 'admit', bench.path(party + '.entry'), home=xs)
    bench.soon(lambda: bench.run('register', 'publish', home=xs, check=False))
    for party in ('XA', 'XR'):
        home = bench.homes[party]
        bench.run('register', 'refresh', home=home)
        bench.soon(lambda: home.call('status')['register']['parties'] == 3)
    xs.stop()
    return bench.homes['XA'], bench.homes['XR']


def one_state(bench, settings, policy):
    """Arcadia alone in a register that the Secretariat published, with a witness policy for its log."""
    xs = bench.home('XS', 'Secretariat', settings=dict(slot_ms=200, leaves_per_slot=8))
    root = secretariat_begins(bench, xs)
    xa = bench.home('XA', 'Arcadia', settings=dict(settings, trust_root=root, register_url=xs.public, register_pin=xs.made['tls']))
    xa.start()
    for home in (xs, xa):
        bench.run('register', 'describe', '-o', bench.path(home.party + '.entry'), home=home)
        bench.run('register', 'admit', bench.path(home.party + '.entry'), home=xs)
    with open(bench.path('policy'), 'w') as f:
        f.write(policy())
    bench.soon(lambda: bench.run('register', 'publish', home=xs, check=False))
    bench.run('register', 'policy', 'XA', bench.path('policy'), '--max-age', '86400', home=xs)
    bench.soon(lambda: bench.run('register', 'publish', home=xs, check=False))
    bench.run('register', 'refresh', home=xa)
    bench.soon(lambda: xa.call('status')['register']['parties'] == 2)
    xs.stop()
    return xa


def preservation_body(facts):
    """A request under art. 42 that every safeguard lets through."""
    now = time.time()

    def day(n):
        return time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(now + n * 86400))

    return {
        'requesting_authority': {'contact': '+882 99 100 200', 'functions': 'investigates and prosecutes cybercrime',
                                 'name': 'Cybercrime Prosecution Office of Arcadia'},
        'offence': {'code': 'UNCC-10', 'elements': ['intent', 'without_right', 'serious_hindering', 'by_data'],
                    'law': 'Criminal Code of Arcadia, section 214', 'max_penalty_years': 8, 'research': 'no',
                    'title': 'interference with an information system'},
        'facts': facts,
        'data': [{'account': 'user-7731', 'category': 'subscriber', 'description': 'who rented the server',
                  'relation': 'the account from which the server was controlled', 'timezone': 'UTC',
                  'from': day(-20), 'until': day(0)}],
        'confidential': True, 'confidential_why': 'the suspect would delete what is left', 'confidential_until': day(60),
        'callback': '+882 99 100 201, day and night', 'answer_by': day(1),
        'rights': {'flags': ['privacy'], 'note': 'One account; no content of third persons is asked for.'},
        'custodian': 'Nimbus Hosting, Ruritania', 'necessity': 'The host overwrites its logs after seven days.',
        'intends_mla': True, 'intended_mla_date': day(30), 'status': 'new', 'urgency_why': 'the attack goes on',
    }
