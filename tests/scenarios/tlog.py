"""A small transparency log and a client of witnesses, written from the specifications alone (RFC 6962, RFC 8032, C2SP
signed-note, tlog-checkpoint, tlog-cosignature, tlog-witness), so that what Comity says is judged by other code."""
import base64
import hashlib
import http.client
import os
import ssl

# --- Ed25519 (RFC 8032 5.1), in few lines and slowly ---------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
G = None


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _mul(k, p):
    r = (0, 1, 1, 0)
    while k > 0:
        if k & 1:
            r = _add(r, p)
        p, k = _add(p, p), k >> 1
    return r


def _x(y, odd):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P != 0:
        raise ValueError("no such point")
    return P - x if x & 1 != odd else x


def _pack(p):
    z = pow(p[2], P - 2, P)
    return (p[1] * z % P | (p[0] * z % P & 1) << 255).to_bytes(32, "little")


def _unpack(b):
    y = int.from_bytes(b, "little")
    x = _x(y & (1 << 255) - 1, y >> 255)
    y &= (1 << 255) - 1
    return (x, y, 1, x * y % P)


_GY = 4 * pow(5, P - 2, P) % P
G = (_x(_GY, 0), _GY, 1, _x(_GY, 0) * _GY % P)


def _hash(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


class Key:
    def __init__(self):
        h = hashlib.sha512(os.urandom(32)).digest()
        self.a = (int.from_bytes(h[:32], "little") & (1 << 254) - 8) | 1 << 254
        self.prefix, self.public = h[32:], _pack(_mul(self.a, G))

    def sign(self, msg):
        r = _hash(self.prefix, msg)
        big_r = _pack(_mul(r, G))
        return big_r + ((r + _hash(big_r, self.public, msg) * self.a) % L).to_bytes(32, "little")


def verifies(public, msg, signature):
    s = int.from_bytes(signature[32:], "little")
    right = _add(_unpack(signature[:32]), _mul(_hash(signature[:32], public, msg), _unpack(public)))
    return s < L and _pack(_mul(s, G)) == _pack(right)


# --- notes and trees -------------------------------------------------------------------------------------------

def b64(data):
    return base64.b64encode(data).decode()


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(name, kind, public):
    return "%s+%s+%s" % (name, key_id(name, kind, public).hex(), b64(bytes([kind]) + public))


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def _split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


def subproof(m, leaves, whole=True):
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return subproof(m, leaves[:k], whole) + [root(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [root(leaves[:k])]


class Log:
    def __init__(self, origin, name=None):
        """name: of its key; tlog-checkpoint says that it should be the origin, and need not."""
        self.origin, self.name, self.key, self.leaves = origin, name or origin, Key(), []

    @property
    def vkey(self):
        return vkey(self.name, 1, self.key.public)

    def grow(self, count=1):
        for _ in range(count):
            self.leaves.append(leaf_hash(b"%s %d" % (self.origin.encode(), len(self.leaves))))
        return len(self.leaves)

    def note(self, size, wrong=b""):
        text = "%s\n%d\n%s\n" % (self.origin, size, b64(wrong or root(self.leaves[:size])))
        signature = key_id(self.name, 1, self.key.public) + self.key.sign(text.encode())
        return text + "\n— %s %s\n" % (self.name, b64(signature))

    def request(self, old, size, note=None, proof=None):
        if proof is None:
            proof = subproof(old, self.leaves[:size]) if 0 < old < size else []
        return ("old %d\n" % old + "".join(b64(h) + "\n" for h in proof) + "\n" + (note or self.note(size))).encode()


def cosigned(note_text, lines, witness_vkey):
    """The time at which this witness cosigned this text; None when none of the lines is its own and verifies."""
    name, _, data = witness_vkey.split("+", 2)
    public = base64.b64decode(data)[1:]
    for line in lines.splitlines():
        if not line.startswith("— " + name + " "):
            continue
        raw = base64.b64decode(line.split(" ")[2])
        time = int.from_bytes(raw[4:12], "big")
        said = b"cosignature/v1\ntime %d\n" % time + note_text.encode()
        if raw[:4] == key_id(name, 4, public) and verifies(public, said, raw[12:]):
            return time
    return None


class Client:
    """One connection that is kept."""

    def __init__(self, url):
        scheme, self.address = url.rstrip("/").split("://")
        host, port = self.address.rsplit(":", 1)
        if scheme == "http":
            self.http = http.client.HTTPConnection(host, int(port), timeout=30)
        else:
            anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the key of a witness is what counts
            anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
            self.http = http.client.HTTPSConnection(host, int(port), timeout=30, context=anybody)
        self.type = None

    def ask(self, method, path, body=None):
        """Status and text. What never came is an OSError or an http.client.HTTPException."""
        try:
            self.http.request(method, path, body=body)
            r = self.http.getresponse()
            text = r.read().decode()
        except (OSError, http.client.HTTPException):
            self.http.close()
            raise
        self.type = r.getheader("Content-Type")
        return r.status, text

    def add(self, request):
        return self.ask("POST", "/add-checkpoint", request)

    def checkpoint(self, origin):
        return self.ask("GET", "/%s/checkpoint" % hashlib.sha256(origin.encode()).hexdigest())
