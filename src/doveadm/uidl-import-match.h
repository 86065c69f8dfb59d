#ifndef POP3_POLICY_UIDL_IMPORT_MATCH_H
#define POP3_POLICY_UIDL_IMPORT_MATCH_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct uidl_import;

/* Fill in the messages of the maildrop, and which of them each line names: by
   its number; else by GUID or file name, and then by fingerprint. Several lines
   may name one. Returns 0, or -1 and an error. */
int uidl_import_match(struct uidl_import *import, const char **error_r);

#endif
