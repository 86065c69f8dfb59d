#ifndef POP3_POLICY_CREDENTIAL_UPGRADE_H
#define POP3_POLICY_CREDENTIAL_UPGRADE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Put a new hash of the same password in the place of the old one, which is the
   main password's (id "") or an app password's. Somebody who has the file
   locked is waited for these seconds at most. Returns 1 if it was written, 0 if
   the user or the password are gone, the hash is another one by now, or the
   file is still locked; -1 and an error. The file is only changed for 1. */
int credential_upgrade_hash(const char *path, const char *name, const char *id,
			    const char *old_hash, const char *new_hash,
			    unsigned int lock_secs, const char **error_r);

#endif
