# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""Tools of the integration tests are used here, too."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
