#ifndef POP3_POLICY_AFTER_LOGIN_H
#define POP3_POLICY_AFTER_LOGIN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct credential_store;
struct password_hasher;

/* What is done when the user has been let in: note the use of the password,
   keep a copy of the file, and hash the password anew if its hash is an old
   one. The client does not wait for it, and that it fails is only logged. */
struct after_logins;

struct after_login {
	/* of the credential file */
	const char *path;
	const char *user_name;
	/* of the app password; "" for the main password */
	const char *id;
	/* "" if it is not known */
	const char *address;
	/* the hash that is to be replaced by one of the secret, or NULL */
	const char *old_hash, *secret;
};

struct after_logins *
after_logins_init(struct password_hasher *hasher,
		  struct credential_store *store, struct event *event_parent);
/* Does what has not been done yet. */
void after_logins_deinit(struct after_logins **logins);

/* Do it when the answer to the login is on its way. Copies all strings, and
   wipes them afterwards. */
void after_logins_add(struct after_logins *logins,
		      const struct after_login *login);

#endif
