"""Email over SMTP (aiosmtplib): STARTTLS or TLS, login, files as attachments; a POP login before if wanted."""

from __future__ import annotations

import poplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from axcore.model.recipients import EmailTarget

from ..delivery import DeliveryError
from ..dial import STEP_SECONDS, Dialer, reason_of
from ..modifiers import one_line
from ..parcel import Parcel
from ..threads import Cutter

POP_PORT = 110
POPS_PORT = 995


async def send(target: EmailTarget, parcel: Parcel, dialer: Dialer) -> None:
    """Deliver: the server has taken the message."""
    import aiosmtplib

    if target.pop_host:
        await dialer.threads.run(lambda cutter: _pop(target, dialer, cutter))
    message = compose(target, parcel)
    context = trust(target)
    sock = await dialer.connect(target.host, target.port)
    client = aiosmtplib.SMTP(
        hostname=target.host,
        port=None,
        sock=sock,
        use_tls=target.encryption == "tls",
        start_tls=False,
        tls_context=context,
        timeout=STEP_SECONDS,
    )
    try:
        await client.connect()
        if target.encryption == "starttls":
            await client.starttls(server_hostname=target.host, tls_context=context)
        if target.username:
            await client.login(target.username, target.password)
        await client.send_message(message)
        await client.quit()
    except aiosmtplib.SMTPAuthenticationError:
        raise DeliveryError(f"{target.host} does not accept the user name and the password") from None
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
        transient = isinstance(error, aiosmtplib.SMTPServerDisconnected | aiosmtplib.SMTPConnectError)
        raise DeliveryError(f"{target.host}: {reason_of(error)}", transient=transient) from None
    finally:
        client.close()
        sock.close()


def trust(target: EmailTarget) -> ssl.SSLContext:
    """Whose certificates count."""
    context = ssl.create_default_context()
    if not target.validate_server_certificate:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def compose(target: EmailTarget, parcel: Parcel) -> EmailMessage:
    """The message. What would add a header line is made one line."""
    message = EmailMessage()
    message["From"] = target.send_from
    message["To"] = ", ".join(part.strip() for part in target.send_to.split(","))
    message["Subject"] = one_line(parcel.subject)
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain="axcore.invalid")
    message.set_content(parcel.text)
    for file in parcel.files:
        main, _, sub = file.content_type.partition(";")[0].partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub or "octet-stream", filename=file.name)
    return message


def _pop(target: EmailTarget, dialer: Dialer, cutter: Cutter) -> None:
    """Some servers let one send after a POP login from the same address."""

    secure = target.encryption == "tls"
    port = POPS_PORT if secure else POP_PORT

    class Pop(poplib.POP3):
        def _create_socket(self, timeout: float) -> object:  # the hook of the standard library
            sock = dialer.connect_blocking(target.pop_host, port, cutter)
            return trust(target).wrap_socket(sock, server_hostname=target.pop_host) if secure else sock

    try:
        client = Pop(target.pop_host, port, STEP_SECONDS)
        if target.encryption == "starttls":
            client.stls(trust(target))
        client.user(target.username)
        client.pass_(target.password)
        client.quit()
    except (poplib.error_proto, OSError) as error:
        raise DeliveryError(f"POP server {target.pop_host}: {reason_of(error)}") from None
