"""
What a dialplan in Python has beside the language itself.

A dialplan runs from top to bottom for each call. It ends when somebody answers what
``sys.dial`` rings, when ``sys.respond`` has sent a final response, when the caller
gives up, or at its last line; whoever has had no answer by then gets a 480.
"""

from collections.abc import Sequence
from typing import Literal

class URI:
    """A SIP URI, its escapes resolved."""

    scheme: str
    user: str
    host: str
    port: int | None
    parameters: dict[str, str]
    text: str

class Request:
    """The request that the dialplan decides about. To change it changes nothing."""

    method: str
    uri: URI
    from_name: str
    from_uri: URI
    to_name: str
    to_uri: URI
    call_id: str
    user_agent: str
    fields: dict[str, list[str]]
    body: str
    received_from: str
    def field(self, name: str) -> str | None:
        """Give the first value of a header field, whatever the case of its name."""

class DialResult:
    """Why nobody has answered."""

    status: int
    reason: str
    outcome: Literal["failed", "timed out", "error", "redirected"]
    redirect_uri: str | None

class Response:
    """What another server has answered."""

    status: int
    reason: str

class Account:
    """A SIP account of the owner."""

    username: str
    domain: str
    aor: str

class Binding:
    """Where a phone of an account is registered."""

    contact: str
    expires: int
    user_agent: str
    received_from: str

class Call:
    """A call of the owner that is going on."""

    id: str
    remote: str
    destination: str
    direction: Literal["in", "out"]
    seconds: int

class Sys:
    """The telephone system."""

    username: str
    dialplan_name: str
    is_in: bool
    is_out: bool
    is_redirect: bool
    account: str
    last_failure_status: int
    last_failure_reason: str
    redirect_uri: str | None

    def dial(self, to: str, ring: int = 180, limit: int = 0) -> DialResult:
        """
        Ring what a dial string says; return only if nobody answers.

        ``ring`` is in seconds, 180 at most; ``limit`` ends the answered call after so
        many seconds, 0: never. No leg at all, or too many, is an outcome ``error``.
        """
    def respond(
        self,
        status: int,
        reason: str | None = None,
        headers: Sequence[str] = (),
        redirect_to: str | None = None,
    ) -> None:
        """
        Send the caller a response. A final one, from 300 on, ends the dialplan.

        A final one takes ``headers``, lines such as ``"Alert-Info: <urn:alert:x>"``. A
        3xx needs ``redirect_to``.
        """
    def log(self, text: str) -> None:
        """Write a line to the owner's monitor."""
    def extend_script_timeout(self, seconds: int) -> None:
        """Let the dialplan run longer, up to 300 seconds in all."""
    def callback(self, first: str, second: str, delay: int = 0) -> None:
        """
        Call somebody, then somebody else, and connect the two.

        Each is a number or ``user@host``. It begins after ``delay`` seconds, 15 at
        most, and goes on by itself; three times in a run at most. About both calls the
        owner's dialplan ``callback`` decides, else that of the account's own calls.
        """
    def is_available(self, user: str | None = None, domain: str | None = None) -> bool:
        """
        Tell whether an account of the owner is registered somewhere.

        Here and below, what is left out is that of the account that calls or is called.
        """
    def is_mine(self, user: str | None = None, domain: str | None = None) -> bool:
        """Tell whether an account belongs to the owner."""
    def does_sip_account_exist(self, user: str, domain: str | None = None) -> bool:
        """Tell whether there is such an account, whoever owns it."""
    def get_bindings(
        self, user: str | None = None, domain: str | None = None
    ) -> list[Binding]:
        """List where an account of the owner is registered."""
    def get_sip_accounts(self) -> list[Account]:
        """List the owner's accounts, by name."""
    def get_canonical_domain(self, host: str) -> str | None:
        """Give the name of the domain that a host stands for, if it is served here."""
    def set_custom_sip_header(self, name: str, value: str) -> None:
        """Add a header field to what is dialled from now on."""
    def remove_custom_sip_header(self, name: str) -> None:
        """Leave it out again."""
    def clear_custom_sip_headers(self) -> None:
        """Leave all of them out again."""
    def set_from_header(
        self, name: str | None, user: str | None, host: str | None
    ) -> None:
        """Change the From of what is dialled from now on; None: as it came."""
    def clear_from_header(self) -> None:
        """Leave the From as the caller has it."""
    def set_custom_content(
        self, body: str, content_type: str = "application/sdp"
    ) -> None:
        """Send another body in what is dialled from now on."""
    def clear_custom_body(self) -> None:
        """Send the caller's body again."""
    def send_request(
        self,
        method: str,
        to: str,
        content_type: str = "",
        body: str = "",
        wait: int = 8,
        username: str | None = None,
        password: str | None = None,
    ) -> Response | None:
        """
        Send a request outside of the call, such as MESSAGE; wait 8 seconds at most.

        Return None if there is no answer.
        """
    def web_get(self, url: str, seconds: int = 10) -> str | None:
        """
        Get a page of the public web, its first 8,192 bytes; None if that fails.

        Only http and https, and no address of a private network.
        """
    def enum_lookup(self, number: str) -> str | None:
        """Look ``number.domain`` up in ENUM; give the URI, if there is one."""
    def email(self, to: str, subject: str, body: str, is_html: bool = False) -> bool:
        """Send an e-mail; three times in a run at most."""
    def get_current_call_count(self) -> int:
        """Count the owner's calls that are going on."""
    def get_current_calls(self) -> list[Call]:
        """List the owner's calls that are going on."""
    def db_write(self, key: str, value: str) -> None:
        """Keep a value for the owner's dialplans."""
    def db_read(self, key: str) -> str | None:
        """Give what was kept; None: nothing."""
    def db_delete(self, key: str) -> None:
        """Forget what was kept."""
    def db_get_keys(self) -> list[str]:
        """List the keys under which something is kept."""
    def get_timezone(self) -> str:
        """Give the name of the owner's time zone, such as ``Europe/Dublin``."""
    def get_timezone_offset_minutes(self) -> int:
        """Give how far the owner's clock is ahead of UTC now."""
    def google_voice_call(self, *arguments: str) -> None:
        """Do nothing but log: the service has ended."""
    def google_voice_sms(self, *arguments: str) -> None:
        """Do nothing but log: the service has ended."""
    def google_contact_lookup(self, *arguments: str) -> str | None:
        """Do nothing but log, and give None: the service has ended."""
    def gtalk(self, *arguments: str) -> None:
        """Do nothing but log: the service has ended."""

class Lookup:
    """The tables of the owner."""

    def speed_dial(self, key: str) -> str | None:
        """Give what a speed dial stands for."""
    def caller_name(self, number: str) -> str | None:
        """Give the name that the owner has noted for a number."""
    def enum(self, number: str) -> str | None:
        """Give the URI that the owner has noted for a number."""
    def option(self, name: str) -> str | None:
        """Give a setting of this dialplan."""
    def excluded_prefixes(self) -> list[str]:
        """List the prefixes that the owner does not want to call."""
    def allowed_countries(self) -> list[str]:
        """List the country codes that the owner wants to call."""
    def enum_servers(self) -> list[str]:
        """List the ENUM domains that the owner asks."""

class Contact:
    """A person, as a contact book knows them."""

    person_name: str
    company_name: str
    picture_url: str

class CRM:
    """The owner's contact book."""

    def lookup_contact(self, url: str, token: str = "") -> Contact | None:
        """Ask a web service who calls; it answers with JSON of these three names."""

sys: Sys
req: Request
lookup: Lookup
crm: CRM
