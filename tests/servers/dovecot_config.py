"""The configuration of a private Dovecot 2.3."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.servers.dovecot import Dovecot


@dataclass(frozen=True)
class Settings:
    """What a test may want to be different."""

    mailbox_format: str = "maildir"  # or sdbox, mdbox
    fsync: str = "never"  # the tests' own disk is not the subject
    idle_notify: str = "2 mins"
    acl: bool = False  # MYRIGHTS and dovecot-acl files in the folders
    capability: str = ""  # overrides what the server says it can, e.g. to hide IDLE or ESEARCH


def configuration(server: Dovecot, group: str) -> str:
    """dovecot.conf of this server."""
    base, owner, settings = server.base, server.owner, server.settings
    # Dovecot drops to users "dovecot" and "dovenull"; who is not root can only be himself.
    internal = "" if os.getuid() == 0 else _rootless(owner.pw_name, group)
    capability = f"imap_capability = {settings.capability}" if settings.capability else ""
    return f"""
base_dir = {base}/run
state_dir = {base}/state
log_path = {server.log}
{internal}
protocols = imap lmtp
listen = 127.0.0.1
first_valid_uid = {owner.pw_uid}
first_valid_gid = {owner.pw_gid}
mail_home = {base}/home/%Lu
mail_location = {settings.mailbox_format}:~/{settings.mailbox_format.capitalize()}
mail_fsync = {settings.fsync}
disable_plaintext_auth = no
auth_mechanisms = plain login{" " + server.token_mechanisms if server.token_url else ""}
auth_username_format = %Lu
auth_failure_delay = 0
ssl = yes
ssl_cert = <{server.certificates.certificate}
ssl_key = <{server.certificates.key}
ssl_dh =
mail_max_userip_connections = 100
default_vsz_limit = 1G
imap_idle_notify_interval = {settings.idle_notify}
{capability}
{_ACL if settings.acl else ""}
{_tokens(server)}
passdb {{
  driver = static
  args = password={server.password}
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={base}/home/%Lu allow_all_users=yes
}}
{_namespace()}
{_services(server)}
protocol lmtp {{
  postmaster_address = postmaster@localhost
}}
"""


_ACL = """mail_plugins = acl
protocol imap {
  mail_plugins = acl imap_acl
}
plugin {
  acl = vfile
}"""


def _namespace() -> str:
    uses = {"Drafts": "Drafts", "Sent": "Sent", "Trash": "Trash", "Junk": "Junk"}
    mailboxes = "\n".join(
        f"  mailbox {name} {{\n    auto = create\n    special_use = \\{use}\n  }}"
        for name, use in uses.items()
    )
    return f"namespace inbox {{\n  inbox = yes\n  separator = /\n{mailboxes}\n}}"


def _services(server: Dovecot) -> str:
    return f"""
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {server.imap_port}
  }}
  inet_listener imaps {{
    port = {server.imaps_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {server.lmtp_port}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


def _tokens(server: Dovecot) -> str:
    if not server.token_url:
        return ""
    return f"""passdb {{
  driver = oauth2
  mechanisms = {server.token_mechanisms}
  args = {server.base}/oauth2.conf
}}"""


def _rootless(user: str, group: str) -> str:
    return f"default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}"


def oauth2_configuration(url: str, ca: Path | None) -> str:
    """oauth2.conf: tokens are validated by asking the token server (RFC 7662)."""
    trust = f"tls_ca_cert_file = {ca}\n" if ca else ""
    return f"""introspection_mode = post
introspection_url = {url}
{trust}username_attribute = username
active_attribute = active
active_value = true
timeout_msecs = 5000
"""
