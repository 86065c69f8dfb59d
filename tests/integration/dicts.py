# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Real Redis and PostgreSQL to keep states in: each with a folder of its own, on a port of its own, ended by its process
id. What differs between the lines of Dovecot, and between the two, is here."""

import glob
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile

import pytest

import dovecot_conf
from dovecot import LIBEXEC, Server, free_ports
from polling import wait_for

KINDS = ["redis", "postgresql"]
REDIS_ONLY = pytest.mark.parametrize("program", ["redis"], indirect=True)
PASSWORD = "dict-secret"
PREFIX = "mail/"
HOST = "127.0.0.1"

# whoever may log in: the pop3 process runs as the user
DICT_SERVICE = """
service dict {
  unix_listener dict {
    mode = 0666
  }
}
"""

SQL_23 = """
connect = host=127.0.0.1 port=%d dbname=postgres user=postgres
map {
  pattern = priv/pop3_policy/doc/$name
  table = pop3_policy_documents
  username_field = username
  value_field = value
  fields {
    name = $name
  }
}
map {
  pattern = priv/pop3_policy/num/$name
  table = pop3_policy_numbers
  username_field = username
  value_field = value
  value_type = int
  fields {
    name = $name
  }
}
"""

PROXY_23 = """
dict {
  pop3 = pgsql:%s
}
""" + DICT_SERVICE

REDIS_24 = """
dict states {
  driver = redis
  redis_port = %d
  redis_password = %s
  redis_key_prefix = %s
}
"""

PROXY_24 = """
dict states {
  driver = proxy
  proxy_name = pop3
}
dict_server {
  dict pop3 {
    driver = sql
    sql_driver = pgsql
    pgsql 127.0.0.1 {
      parameters {
        port = %d
        user = postgres
        dbname = postgres
      }
    }
    dict_map priv/pop3_policy/doc/$name {
      sql_table = pop3_policy_documents
      username_field = username
      value_field value {
      }
      key_field name {
        value = $name
      }
    }
    dict_map priv/pop3_policy/num/$name {
      sql_table = pop3_policy_numbers
      username_field = username
      value_field value {
        type = int
      }
      key_field name {
        value = $name
      }
    }
  }
}
""" + DICT_SERVICE

TABLES = """
CREATE TABLE pop3_policy_documents (
  username text NOT NULL,
  name text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (username, name)
);
CREATE TABLE pop3_policy_numbers (
  username text NOT NULL,
  name text NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (username, name)
);
"""


class Program:
    """A server that is no Dovecot."""

    def __init__(self, owner):
        self.root = tempfile.mkdtemp(prefix="dict-", dir=Server.base)
        self.owner = pwd.getpwnam(owner)
        os.chown(self.root, self.owner.pw_uid, self.owner.pw_gid)
        self.port = free_ports(["port"])["port"]
        self.process = None

    def as_owner(self, *command):
        return ["setpriv", "--reuid=%d" % self.owner.pw_uid, "--regid=%d" % self.owner.pw_gid, "--clear-groups",
                *command]

    def launch(self, *command):
        with open(os.path.join(self.root, "log"), "ab") as log:
            self.process = subprocess.Popen(self.as_owner(*command), cwd=self.root, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        wait_for(self.is_up, "the server in " + self.root)

    def is_up(self):
        assert self.process.poll() is None, self.log()
        return self.answers()

    def log(self):
        with open(os.path.join(self.root, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """At once, as when its host loses power."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def number(self, user, name):
        value = self.get(user, "num/" + name)
        return None if value is None else int(value)

    def state(self, user):
        return json.loads(self.get(user, "doc/state"))


class Redis(Program):
    kind = "redis"

    def __init__(self):
        super().__init__("redis")
        self.start()

    def start(self):
        self.launch("redis-server", "--port", str(self.port), "--bind", HOST, "--dir", self.root,
                    "--requirepass", PASSWORD, "--save", "", "--appendonly", "yes", "--appendfsync", "no")

    def answers(self):
        try:
            return self.call("PING") == "PONG"
        except (OSError, RuntimeError):
            return False

    def call(self, *words):
        with socket.create_connection((HOST, self.port), 10) as connection:
            with connection.makefile("rwb") as file:
                for command in (("AUTH", PASSWORD), words):
                    file.write(b"*%d\r\n" % len(command))
                    for word in command:
                        data = word.encode()
                        file.write(b"$%d\r\n%s\r\n" % (len(data), data))
                    file.flush()
                    reply = self.read_reply(file)
        return reply

    def read_reply(self, file):
        line = file.readline().decode().rstrip("\r\n")
        if line[:1] == "*":
            return [self.read_reply(file) for _ in range(int(line[1:]))]
        if line[:1] == "$":
            size = int(line[1:])
            return None if size < 0 else file.read(size + 2)[:-2].decode()
        if line[:1] not in ("+", ":"):
            # also that it has not read its file yet
            raise RuntimeError(line or "no reply")
        return line[1:]

    def key(self, user, name):
        return "%s%s/pop3_policy/%s" % (PREFIX, user.name, name)

    def get(self, user, name):
        return self.call("GET", self.key(user, name))

    def set(self, user, name, value):
        self.call("SET", self.key(user, name), str(value))

    def add(self, user, name, number):
        self.call("INCRBY", self.key(user, name), str(number))

    def unset(self, user, name):
        self.call("DEL", self.key(user, name))

    def all(self, user):
        """{name: value} of the user."""
        begin = self.key(user, "")
        return {key[len(begin):]: self.call("GET", key) for key in self.call("KEYS", begin + "*")}

    def refuse_writes(self):
        self.call("CONFIG", "SET", "min-replicas-to-write", "1")

    def take_writes(self):
        self.call("CONFIG", "SET", "min-replicas-to-write", "0")

    @property
    def setting(self):
        if dovecot_conf.LINE == "2.3":
            return "dict:redis:host=%s:port=%d:password=%s:prefix=%s" % (HOST, self.port, PASSWORD, PREFIX)
        return "dict:states"

    def conf(self):
        return "" if dovecot_conf.LINE == "2.3" else REDIS_24 % (self.port, PASSWORD, PREFIX)


class Postgresql(Program):
    kind = "postgresql"

    def __init__(self):
        super().__init__("postgres")
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.data = os.path.join(self.root, "data")
        subprocess.run(self.as_owner(os.path.join(self.bin, "initdb"), "-A", "trust", "-U", "postgres", "-N",
                                     "-E", "UTF8", "--locale=C", "-D", self.data),
                       cwd=self.root, stdout=subprocess.DEVNULL, check=True)
        self.start()
        self.sql(TABLES)

    def start(self):
        self.launch(os.path.join(self.bin, "postgres"), "-D", self.data, "-p", str(self.port), "-k", self.root,
                    "-c", "listen_addresses=" + HOST, "-c", "max_connections=50", "-c", "fsync=off")

    def stop(self):
        if self.process is not None:
            # its children see it go and end, too; they hold memory until then
            self.process.send_signal(3)
            self.process.wait()
            self.process = None

    def run(self, text):
        return subprocess.run(["psql", "-h", HOST, "-p", str(self.port), "-U", "postgres", "-X", "-q", "-t", "-A",
                               "-F", "\t", "-v", "ON_ERROR_STOP=1"], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)

    def answers(self):
        return self.run("SELECT 1").returncode == 0

    def sql(self, text):
        result = self.run(text)
        assert result.returncode == 0, result.stderr
        return result.stdout

    @staticmethod
    def table(name):
        return "pop3_policy_documents" if name.startswith("doc/") else "pop3_policy_numbers"

    @staticmethod
    def quote(value):
        return "'%s'" % str(value).replace("'", "''")

    def where(self, user, name):
        return "username = %s AND name = %s" % (self.quote(user.name), self.quote(name[4:]))

    def get(self, user, name):
        out = self.sql("SELECT to_json(value::text) FROM %s WHERE %s" % (self.table(name), self.where(user, name)))
        return json.loads(out) if out else None

    def set(self, user, name, value):
        self.sql("INSERT INTO %s VALUES (%s, %s, %s) ON CONFLICT (username, name) DO UPDATE SET value = "
                 "EXCLUDED.value" % (self.table(name), self.quote(user.name), self.quote(name[4:]), self.quote(value)))

    def add(self, user, name, number):
        self.sql("UPDATE %s SET value = value + %d WHERE %s" % (self.table(name), number, self.where(user, name)))

    def unset(self, user, name):
        self.sql("DELETE FROM %s WHERE %s" % (self.table(name), self.where(user, name)))

    def all(self, user):
        """{name: value} of the user."""
        rows = self.sql("".join("SELECT to_json('%s' || name), to_json(value::text) FROM %s WHERE username = %s;" % (
            kind, self.table(kind), self.quote(user.name)) for kind in ("doc/", "num/")))
        return {json.loads(name): json.loads(value) for name, value in (
            row.split("\t", 1) for row in rows.splitlines())}

    def refuse_writes(self):
        self.sql("ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf();")

    def take_writes(self):
        self.sql("SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; "
                 "SELECT pg_reload_conf();")

    @property
    def setting(self):
        return "dict:proxy::pop3" if dovecot_conf.LINE == "2.3" else "dict:states"

    def conf(self):
        if dovecot_conf.LINE == "2.4":
            return PROXY_24 % self.port
        path = os.path.join(self.root, "dict-sql.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SQL_23 % self.port)
        # the dict server reads it, which is another user
        os.chmod(self.root, 0o755)
        os.chmod(path, 0o644)
        return PROXY_23 % path


def program(kind):
    return Redis() if kind == "redis" else Postgresql()


def named_host(name):
    """A pop3 process that takes its host for one of this name."""
    return lambda root: ["/usr/bin/env", "DOVECOT_HOSTNAME=" + name, os.path.join(LIBEXEC, "pop3")]


def host(found, name, clock=None):
    """A Dovecot that keeps its states there; others may do so, too, with the same clock."""
    return Server(settings={"pop3_policy_state": found.setting}, extra=found.conf(), pop3_command=named_host(name),
                  clock=clock)
