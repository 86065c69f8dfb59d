# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A private Prometheus that scrapes one server, ended by its process id."""

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from dovecot import free_ports
from polling import wait_for

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: dovecot
    static_configs:
      - targets: ['127.0.0.1:%d']
"""


class Prometheus:
    def __init__(self, folder, target_port):
        self.folder = str(folder)
        self.port = free_ports(["prometheus"])["prometheus"]
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG % target_port)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", "--config.file=" + config, "--log.level=warn",
                 "--storage.tsdb.path=" + os.path.join(self.folder, "data"),
                 "--web.listen-address=127.0.0.1:%d" % self.port], stdout=log, stderr=log, cwd=self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    @property
    def log_path(self):
        return os.path.join(self.folder, "log")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def get(self, path, **args):
        url = "http://127.0.0.1:%d/api/v1/%s?%s" % (self.port, path, urllib.parse.urlencode(args))
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]

    def wait_scraped(self):
        """Waits until there is an answer from the server."""
        def is_scraped():
            assert self.process.poll() is None, self.log()
            try:
                return self.query("dovecot_build_info")
            except (urllib.error.URLError, ConnectionError):
                # it does not listen, or is not ready yet
                return None
        wait_for(is_scraped, "the first scrape:\n" + self.log(), 60)

    def query(self, text):
        """What a query gives: [(labels, number)]."""
        try:
            found = self.get("query", query=text)
        except urllib.error.HTTPError as error:
            if error.code == 503:
                raise
            raise AssertionError("%s: %s" % (text, error.read().decode())) from error
        assert found["resultType"] == "vector", found
        return [(row["metric"], float(row["value"][1])) for row in found["result"]]

    def targets(self):
        return self.get("targets")["activeTargets"]
