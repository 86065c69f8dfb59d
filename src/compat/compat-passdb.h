#ifndef POP3_POLICY_COMPAT_PASSDB_H
#define POP3_POLICY_COMPAT_PASSDB_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct auth_request;
struct passdb_module;
struct passdb_module_interface;
struct passdb_json_settings;

/* How a driver of auth meets Dovecot 2.3 and 2.4. */

/* Make the module of a passdb from its settings; strings in them live no longer
   than this call. Returns 0, or -1 and an error. */
typedef int compat_passdb_create_t(pool_t pool,
				   const struct passdb_json_settings *set,
				   const char *fields_key,
				   struct passdb_module **module_r,
				   const char **error_r);

/* Register the driver; this sets its preinit(), which reads the settings and
   calls create(). fields_key is what the cache must look at for the fields that
   the admin has given to the passdb, or "". */
void compat_passdb_register(struct passdb_module_interface *iface,
			    compat_passdb_create_t *create);

/* What an entry of the cache is found by: the user, the protocol and 32 bits of
   a hash of the password, which tell nothing without the salt, and little with
   it. The salt is in hexadecimal digits. */
const char *compat_passdb_cache_key(const char *salt);

/* "pop3", "imap" and others. */
const char *compat_passdb_protocol(const struct auth_request *request);
/* Set the fields that the admin has given to all users of the passdb: those of
   fields {} on 2.4, where each driver has to do it, and default_fields on 2.3,
   which forgets them when it asks a worker. Returns 0, or -1 if this was not
   possible, and it is logged. */
int compat_passdb_set_fields(struct auth_request *request);
/* What Dovecot logs of a login that failed, as far as its settings say so. */
void compat_passdb_log_unknown_user(struct auth_request *request);
void compat_passdb_log_mismatch(struct auth_request *request);

#endif
