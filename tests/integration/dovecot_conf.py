# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""The configuration of a private server, for both lines of Dovecot: everything that differs between them is here."""

import json
import os
import subprocess

PASSWORD = "pass-word"

SERVICES = """
service pop3-login {{
  {login_reuse}
  inet_listener pop3 {{
    {address}
    port = {ports[pop3]}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap-login {{
  {login_reuse}
  inet_listener imap {{
    {address}
    port = {ports[imap]}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3 {{
  executable = {pop3}
  process_limit = 200
  vsz_limit = {vsz_limit}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service lmtp {{
  unix_listener {root}/lmtp {{
    mode = 0666
  }}
}}
service doveadm {{
  executable = {doveadm}
  unix_listener {root}/doveadm-server {{
    mode = 0600
  }}
}}
service submission-login {{
  inet_listener submission {{
    port = 0
  }}
}}
"""

COMMON = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
listen = 127.0.0.1
ssl = no
first_valid_uid = 1
mail_max_userip_connections = 200
auth_mechanisms = plain apop
auth_failure_delay = 0
auth_verbose = yes
doveadm_password = secret
postmaster_address = postmaster@example.org
"""

LINE_23 = """
protocols = pop3 imap lmtp
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
pop3_logout_format = {logout}
{passdb}
userdb {{
  driver = dict
  args = {root}/dict.conf
}}
{mail_plugins}
plugin {{
{plugin_settings}
}}
"""

DICT_23 = """
uri = file:{root}/users
iterate_prefix = userdb/
key userdb {{
  key = userdb/%u
  format = json
}}
userdb_objects = userdb
"""

LINE_24 = """
protocols = pop3 imap lmtp
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
pop3_logout_format = {logout}
{passdb}
userdb passwd-file {{
  passwd_file_path = {root}/{users}
}}
{mail_plugins}
{plugin_settings}
"""

LOGOUT = {
    "2.3": "top=%t/%p, retr=%r/%b, del=%d/%m, size=%s, in=%i, out=%o",
    "2.4": "top=%{top_count}/%{top_bytes}, retr=%{retr_count}/%{retr_bytes}, del=%{deleted_count}/%{message_count}, "
           "size=%{message_bytes}, in=%{input}, out=%{output}",
}

MAIL_FIELDS = {
    "2.3": {
        "maildir": {"mail": "maildir:~/Maildir"},
        "mbox": {"mail": "mbox:~/mail:INBOX=~/inbox"},
        "sdbox": {"mail": "sdbox:~/sdbox"},
        "mdbox": {"mail": "mdbox:~/mdbox"},
    },
    "2.4": {
        "maildir": {"mail_driver": "maildir", "mail_path": "~/Maildir"},
        "mbox": {"mail_driver": "mbox", "mail_path": "~/mail", "mail_inbox_path": "~/inbox"},
        "sdbox": {"mail_driver": "sdbox", "mail_path": "~/sdbox"},
        "mdbox": {"mail_driver": "mdbox", "mail_path": "~/mdbox"},
    },
}


def line():
    """"2.3" or "2.4": what is installed here."""
    version = subprocess.run(["dovecot", "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return "2.3" if version.startswith("2.3.") else "2.4"


LINE = line()
# what makes the processes of a service serve any number of users, one after the other
REUSE = "service_count = 0" if LINE == "2.3" else "restart_request_count = unlimited"


def version():
    out = subprocess.run(["dovecot", "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return out.split()[0].split("-")[0]


def quote(value):
    return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')


def mail_plugins(names):
    """A block that enables mail plugins; an empty list means stock."""
    if not names:
        return ""
    if LINE == "2.3":
        return "mail_plugins = $mail_plugins " + " ".join(names)
    return "mail_plugins {\n" + "".join("  %s = yes\n" % name for name in names) + "}"


def tls(certificate, key):
    """Connections may be encrypted, with these two files."""
    names = ("ssl_cert = <", "ssl_key = <") if LINE == "2.3" else ("ssl_server_cert_file = ", "ssl_server_key_file = ")
    return "ssl = yes\n%s%s\n%s%s\n" % (names[0], certificate, names[1], key)


def static_passdb(password=PASSWORD):
    """Everybody has this password."""
    if LINE == "2.3":
        return "passdb {\n  driver = static\n  args = password=%s\n}\n" % password
    return "passdb static {\n  password = %s\n}\n" % password


def file_passdb(path, master=False, go_on=False):
    """A passwd-file; with MASTER its users may log in as others, by "user*master". With GO_ON the next passdb must know
    the user, too."""
    rules = "  master = yes\n" * master + "  result_success = continue\n" * go_on
    if LINE == "2.3":
        return "passdb {\n  driver = passwd-file\n  args = %s\n%s}\n" % (path, rules)
    # two blocks of one name would be one
    return "passdb %s {\n  driver = passwd-file\n  passwd_file_path = %s\n%s}\n" % (
        os.path.basename(path), path, rules)


PATH_VARIABLES = {
    "2.3": {"USER": "%u", "LOCAL": "%n", "DOMAIN": "%d"},
    "2.4": {"USER": "%{user}", "LOCAL": "%{user | username}", "DOMAIN": "%{user | domain}"},
}
# Whoever is refused is told so at once: 2.3 would wait for half a second unless a passdb says otherwise, and this one
# does nothing else; 2.4 waits if something is broken.
NO_FAILURE_DELAY = "auth_internal_failure_delay = 0\n" if LINE == "2.4" else """
passdb {
  driver = static
  args = noauthenticate=yes nodelay=yes
}
"""


def auth_workers(limit):
    """At most so many workers of auth."""
    if LINE == "2.3":
        return "auth_worker_max_count = %d\n" % limit
    return "service auth-worker {\n  process_limit = %d\n}\n" % limit


def json_passdb(path, more="", **settings):
    """Credential files of the plugin. USER, LOCAL and DOMAIN in the path are the name of the user and its parts; None
    leaves a setting out. MORE are lines of the block that are not settings of ours."""
    for word, variable in PATH_VARIABLES[LINE].items():
        path = path and path.replace(word, variable)
    given = {key: value for key, value in {"path": path, **settings}.items() if value is not None}
    if LINE == "2.3":
        args = " ".join("%s=%s" % pair for pair in given.items())
        return "passdb {\n  driver = json\n  args = %s\n%s}\n" % (args, more)
    return "passdb json {\n%s%s}\n" % ("".join("  %s = %s\n" % pair for pair in given.items()), more)


def passdb_fields(**fields):
    """Lines of the block of a passdb: fields that the admin gives to all who log in by it."""
    pairs = ["%s=%s" % pair for pair in fields.items()]
    if LINE == "2.3":
        return "  default_fields = %s\n" % " ".join(pairs)
    return "  fields {\n%s  }\n" % "".join("    %s\n" % pair.replace("=", " = ", 1) for pair in pairs)


def prefetch_userdb(and_next=False):
    """Takes the fields userdb_* of a passdb; a user without them is looked up in the next userdb. With AND_NEXT all
    are, and get the fields of both."""
    rule = "  result_success = continue-ok\n" * and_next
    return "userdb {\n  driver = prefetch\n%s}\n" % rule if LINE == "2.3" else "userdb prefetch {\n%s}\n" % rule


def server_conf(root, ports, pop3, doveadm, plugins, settings, extra, vsz_limit, iterate, passdb=None):
    """The whole file. With ITERATE all users of 2.4 are in one file, which is read again once a second at the most;
    else each has its own, and a new one is known at once, but they cannot be listed. PASSDB are the blocks that stand
    before the userdb."""
    plugin_settings = "\n".join("%s = %s" % (key, quote(value) if LINE == "2.4" else value)
                                for key, value in settings.items())
    values = {
        "root": root, "ports": ports, "pop3": pop3, "doveadm": doveadm, "vsz_limit": vsz_limit,
        "login_reuse": REUSE,
        "address": "address = 127.0.0.1" if LINE == "2.3" else "listen = 127.0.0.1",
        "passdb": passdb or static_passdb(), "users": "users" if iterate else "users.d/%{user}",
        "mail_plugins": mail_plugins(plugins), "plugin_settings": plugin_settings,
        "logout": LOGOUT["2.3"] if LINE == "2.3" else quote(LOGOUT["2.4"]),
    }
    head = ""
    if LINE == "2.4":
        head = "dovecot_config_version = {0}\ndovecot_storage_version = {0}\n".format(version())
    body = COMMON + (LINE_23 if LINE == "2.3" else LINE_24) + SERVICES
    return head + body.format(**values) + extra


def user_files(root, users):
    """(path below ROOT, text) for users given as {name: {userdb field: value}}. On 2.3 it is a dict, as a passwd-file
    there cannot say a value with spaces."""
    if LINE == "2.3":
        yield "dict.conf", DICT_23.format(root=root)
        yield "users", "".join("shared/userdb/%s\n%s\n" % (name, json.dumps(fields)) for name, fields in users.items())
    else:
        lines = {name: passwd_line(name, fields) for name, fields in users.items()}
        yield "users", "".join(lines.values())
        for name, text in lines.items():
            yield "users.d/" + name, text


def passwd_line(name, fields):
    extra = dict(fields)
    uid, gid, home = extra.pop("uid"), extra.pop("gid"), extra.pop("home", "")
    words = []
    for key, value in extra.items():
        if " " in value or ":" in value or "%{" in value or value == "":
            value = "%%{literal('%s')|unhexlify|text}" % value.encode().hex()
        words.append("userdb_%s=%s" % (key, value))
    return "%s::%s:%s::%s::%s\n" % (name, uid, gid, home, " ".join(words))
