/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "hex-binary.h"
#include "randgen.h"
#include "auth-common.h"
#include "login-choice.h"
#include "compat-passdb.h"
#include "after-login.h"
#include "passdb-json.h"

struct login {
	struct auth_request *request;
	const char *password;

	/* As the file says at the last look; all of it is in the data stack. A
	   user NULL is unknown: it takes as long as a wrong password, and is
	   answered by the same. "Unknown" would be cached, and the second try
	   be faster. */
	const struct credential_user *user;
	struct credential_user found;
	const char *path;
	struct login_choice choice;
};

static enum passdb_result
judge(struct auth_request *request, const struct login_choice *choice)
{
	const char *what = choice->app == NULL ? "the main password" :
		t_strdup_printf("app password %s", choice->app->id);

	switch (choice->verdict) {
	case LOGIN_ALLOWED:
		return PASSDB_RESULT_OK;
	case LOGIN_USER_DISABLED:
		return PASSDB_RESULT_USER_DISABLED;
	case LOGIN_PASSWORD_EXPIRED:
		e_info(authdb_event(request), "%s has expired", what);
		return PASSDB_RESULT_PASS_EXPIRED;
	case LOGIN_PROTOCOL_BARRED:
		e_info(authdb_event(request), "%s may not be used for %s", what,
		       compat_passdb_protocol(request));
		return PASSDB_RESULT_PASSWORD_MISMATCH;
	}
	i_unreached();
}

static void
log_failure(struct auth_request *request, bool unknown)
{
	if (unknown)
		compat_passdb_log_unknown_user(request);
	else
		compat_passdb_log_mismatch(request);
}

/* Those of the admin may have another name of the user: no earlier than now, as
   all before is about the name that logs in. Returns 0, or -1 if they cannot be
   known, and it is logged. */
static int set_fields(const struct login *login)
{
	if (compat_passdb_set_fields(login->request) < 0)
		return -1;
	passdb_json_set_user_fields(login->request, login->user);
	if (login->choice.app != NULL)
		passdb_json_set_app_fields(login->request, &login->choice);
	passdb_json_set_cached_password(login->request, login->password);
	return 0;
}

/* The user is let in, unless the network is one that Dovecot has refused. */
static void plan_after_login(const struct login *login)
{
	struct auth_request *request = login->request;
	struct passdb_json *json = PASSDB_JSON(request);
	const struct login_choice *choice = &login->choice;
	const struct ip_addr *ip = &request->fields.remote_ip;
	struct after_login after = {
		.path = login->path,
		.user_name = login->user->name,
		.id = choice->app == NULL ? "" : choice->app->id,
		.address = ip->family == 0 ? "" : net_ip2addr(ip),
		.old_hash = choice->hash,
		.secret = choice->secret
	};

	if (request->failed)
		return;
	if (!passdb_json_hash_is_old(json, choice->hash))
		after.old_hash = NULL;
	after_logins_add(json->after_logins, &after);
}

/* The password is right. */
static enum passdb_result let_in(const struct login *login)
{
	enum passdb_result result = judge(login->request, &login->choice);

	if (result != PASSDB_RESULT_OK)
		return result;
	if (set_fields(login) < 0)
		return PASSDB_RESULT_INTERNAL_FAILURE;
	plan_after_login(login);
	return result;
}

/* Returns 0, or -1 if it cannot be known who the user is now. */
static int look_up(struct login *login)
{
	int ret;

	ret = passdb_json_find_user(login->request, pool_datastack_create(),
				    &login->path, &login->found);
	if (ret < 0)
		return -1;
	login->user = ret > 0 ? &login->found : NULL;
	login_choice_make(login->user, login->password,
			  compat_passdb_protocol(login->request), ioloop_time,
			  &login->choice);
	return 0;
}

/* A check takes so long that the password may be revoked meanwhile, or the user
   be disabled. Whoever did that has emptied the cache, and what is said now
   would be in it afterwards: so what counts is a look after the check. */
static enum passdb_result check(struct login *login)
{
	const char *right_hash = NULL;
	enum passdb_result result;

	while (look_up(login) == 0) {
		if (right_hash != NULL &&
		    null_strcmp(login->choice.hash, right_hash) == 0)
			return let_in(login);
		result = passdb_json_verify(login->request, login->choice.hash,
					    login->choice.secret);
		if (result == PASSDB_RESULT_PASSWORD_MISMATCH)
			log_failure(login->request, login->user == NULL);
		if (result != PASSDB_RESULT_OK)
			return result;
		right_hash = login->choice.hash;
	}
	return PASSDB_RESULT_INTERNAL_FAILURE;
}

static enum passdb_result
log_in(struct auth_request *request, const char *password)
{
	struct login login = { .request = request, .password = password };
	enum passdb_result result = check(&login);

	login_choice_wipe(&login.choice);
	return result;
}

/* Another passdb has checked the password, which may be one of that only: the
   cache must not take it for one of ours. */
static enum passdb_result answer_unchecked(struct auth_request *request)
{
	unsigned char secret[16];
	enum passdb_result result = passdb_json_lookup(request);

	if (result == PASSDB_RESULT_OK) {
		random_fill(secret, sizeof(secret));
		passdb_json_set_cached_password(request,
			binary_to_hex(secret, sizeof(secret)));
	}
	return result;
}

void passdb_json_verify_plain(struct auth_request *request,
			      const char *password,
			      verify_plain_callback_t *callback)
{
	enum passdb_result result;

	T_BEGIN {
		/* who is in a passdb of those who are denied is denied with any
		   password */
		if (request->fields.skip_password_check ||
		    request->passdb->set->deny)
			result = answer_unchecked(request);
		else
			result = log_in(request, password);
	} T_END;
	callback(result, request);
}
