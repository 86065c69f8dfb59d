#ifndef POP3_POLICY_PASSDB_JSON_HASHER_H
#define POP3_POLICY_PASSDB_JSON_HASHER_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct passdb_json_settings;
struct password_hasher_settings;

/* What the settings say of new hashes. A stored one may ask for twice the
   memory and four times the work of these or of the default ones, whatever is
   more: so files outlive a change of settings. */
void passdb_json_hasher_settings(const struct passdb_json_settings *set,
				 struct password_hasher_settings *set_r);

#endif
