"""
The certificate files of this server, watched, and the TLS contexts made of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from OpenSSL import SSL
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.transport import identity
from sipsorcery.transport.errors import CertificateError

# Forward secrecy always. AES-CBC stays for desk phones that have TLS 1.2 and no GCM;
# TLS 1.3 has a list of its own, which needs no choice.
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES"

_PrivateKey = (
    EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey | Ed448PrivateKey
)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """
    Name the files of one certificate, both in PEM.

    :ivar certificate: the server's own certificate, then those that lead to the root.
    :ivar key: its private key, without a password.
    """

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """
    Say what TLS needs to know.

    :ivar certificates: one or more; the first serves whoever asks for no name, or for
        one that none of them holds. We show it to servers that ask for ours.
    :ivar client_authorities: a PEM file; peers that connect are asked for a
        certificate that one of these authorities signed. None: they are not asked.
    :ivar client_required: whether those without one are turned away.
    :ivar authorities: a PEM file of the authorities that servers may be signed by.
        None: those of the system.
    :ivar poll: seconds between two looks at the files.
    """

    certificates: tuple[CertificateFiles, ...] = ()
    client_authorities: Path | None = None
    client_required: bool = False
    authorities: Path | None = None
    poll: float = 10.0

    @property
    def files(self) -> tuple[Path, ...]:
        """
        List every file that matters.
        """
        pairs = (
            path for one in self.certificates for path in (one.certificate, one.key)
        )
        others = (self.client_authorities, self.authorities)
        return (*pairs, *(path for path in others if path is not None))


class TLSContexts:
    """
    Hold the contexts for new handshakes; replace them when a file changes.

    Connections keep the context that they began with, so a swap drops none. Files that
    cannot be used are reported, and the last good contexts stay.

    :ivar failure: why the files as they are now cannot be used; None if they are.
    :raises CertificateError: if the files cannot be used to begin with.
    """

    _log = Logger()

    def __init__(self, settings: TLSSettings) -> None:
        self._settings = settings
        self.failure: CertificateError | None = None
        self._stamp = _stamp(settings.files)
        self._load()
        self._watch = LoopingCall(self.look)

    def start(self, clock: IReactorTime) -> None:
        """
        Begin to watch the files, if there are any.
        """
        if not self._settings.files:
            return
        self._watch.clock = clock
        self._watch.start(self._settings.poll, now=False)

    def stop(self) -> None:
        """
        Stop watching.
        """
        if self._watch.running:
            self._watch.stop()

    def look(self) -> None:
        """
        Load the files again if one of them has changed since the last look.
        """
        stamp = _stamp(self._settings.files)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._load()
        except CertificateError as error:
            self.failure = error
            self._log.error("The certificates stay as they were: {error}", error=error)
        else:
            self.failure = None
            self._log.info("The certificates were loaded again")

    def server_connection(self) -> SSL.Connection:
        """
        Begin the TLS of a peer that connected to us.
        """
        return SSL.Connection(self._default, None)

    def client_connection(self) -> SSL.Connection:
        """
        Begin the TLS of a connection that we opened.
        """
        return SSL.Connection(self._client, None)

    def _load(self) -> None:
        settings = self._settings
        loaded = [_load_pair(files) for files in settings.certificates]
        client = _client_context(settings.authorities, loaded)
        by_name: dict[str, SSL.Context] = {}
        servers = [_server_context(settings, pair) for pair in loaded]
        for pair, context in zip(loaded, servers, strict=True):
            context.set_tlsext_servername_callback(self._choose)
            for name in pair.names:
                by_name.setdefault(name, context)  # the first that holds a name has it
        # All of it works; only now does it replace the old.
        self._client = client
        self._by_name = by_name
        if servers:
            self._default = servers[0]

    def _choose(self, connection: SSL.Connection) -> None:
        """
        Pick the certificate that holds the name the client asks for (SNI).
        """
        asked = connection.get_servername()
        if not asked:
            return
        name = identity.canonical(asked.decode("ascii", "replace"))
        wildcard = "*." + name.partition(".")[2]
        context = self._by_name.get(name) or self._by_name.get(wildcard)
        if context is not None:
            connection.set_context(context)


@dataclass(frozen=True, slots=True)
class _Pair:
    """
    A certificate, the rest of its chain and its key, loaded and fitting each other.
    """

    chain: list[x509.Certificate]
    key: _PrivateKey
    names: list[str]


def _load_pair(files: CertificateFiles) -> _Pair:
    chain = _load_chain(files.certificate)
    key = _load_key(files.key)
    if not isinstance(key, _PrivateKey):
        raise CertificateError(f"{files.key} holds a key that TLS cannot use")
    if key.public_key() != chain[0].public_key():
        raise CertificateError(
            f"{files.key} is not the key of the certificate in {files.certificate}"
        )
    names = {*identity.sip_identities(chain[0]), *identity.dns_names(chain[0])}
    return _Pair(chain, key, [identity.canonical(name) for name in names])


def _load_chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError as error:
        raise CertificateError(f"{path} holds no certificate in PEM format") from error


def _load_key(path: Path) -> object:
    try:
        return serialization.load_pem_private_key(_read(path), None)
    except TypeError as error:
        raise CertificateError(f"the key in {path} is locked by a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{path} holds no private key in PEM format") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{error.filename}: {error.strerror}") from error


def _server_context(settings: TLSSettings, pair: _Pair) -> SSL.Context:
    context = _context(pair)
    # Without sessions to resume, a client's certificate is looked at every time.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_CIPHER_SERVER_PREFERENCE)
    if settings.client_authorities is not None:
        _trust(context, settings.client_authorities)
        mode = SSL.VERIFY_PEER
        if settings.client_required:
            mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        context.set_verify(mode)
    return context


def _client_context(authorities: Path | None, pairs: list[_Pair]) -> SSL.Context:
    context = _context(pairs[0] if pairs else None)
    if authorities is None:
        context.set_default_verify_paths()
    else:
        _trust(context, authorities)
    return context


def _context(pair: _Pair | None) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(_CIPHERS)
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
    # An idle connection gives its buffers back: 34 kB for each phone that is waiting.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    if pair is not None:
        _use(context, pair)
    return context


def _use(context: SSL.Context, pair: _Pair) -> None:
    own, *rest = pair.chain
    try:
        context.use_certificate(own)
        context.use_privatekey(pair.key)
        for certificate in rest:
            context.add_extra_chain_cert(certificate)
    except SSL.Error as error:  # such as a key that is too short to be safe
        name = own.subject.rfc4514_string()
        raise CertificateError(f"TLS refuses {name}: {error}") from error


def _trust(context: SSL.Context, authorities: Path) -> None:
    try:
        context.load_verify_locations(str(authorities))
    except SSL.Error as error:
        raise CertificateError(
            f"{authorities} holds no certificates of authorities"
        ) from error


def _stamp(files: tuple[Path, ...]) -> tuple[object, ...]:
    """
    Tell the state of files apart from any other that they could be in.
    """
    return tuple(map(_stamp_of, files))


def _stamp_of(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None  # it is missing while it is being replaced
    # The inode tells a renamed file from a rewritten one of the same size and second.
    return found.st_ino, found.st_mtime_ns, found.st_size
