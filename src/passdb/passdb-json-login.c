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
static int
set_fields(struct auth_request *request, const struct credential_user *user,
	   const struct login_choice *choice, const char *password)
{
	if (compat_passdb_set_fields(request) < 0)
		return -1;
	passdb_json_set_user_fields(request, user);
	if (choice->app != NULL)
		passdb_json_set_app_fields(request, choice);
	passdb_json_set_cached_password(request, password);
	return 0;
}

/* The user is let in, unless the network is one that Dovecot has refused. */
static void
plan_after_login(struct auth_request *request, const char *path,
		 const struct credential_user *user,
		 const struct login_choice *choice)
{
	struct passdb_json *json = PASSDB_JSON(request);
	const struct ip_addr *ip = &request->fields.remote_ip;
	struct after_login login = {
		.path = path,
		.user_name = user->name,
		.id = choice->app == NULL ? "" : choice->app->id,
		.address = ip->family == 0 ? "" : net_ip2addr(ip),
		.old_hash = choice->hash,
		.secret = choice->secret
	};

	if (request->failed)
		return;
	if (!passdb_json_hash_is_old(json, choice->hash))
		login.old_hash = NULL;
	after_logins_add(json->after_logins, &login);
}

/* The password is right. */
static enum passdb_result
let_in(struct auth_request *request, const char *path,
       const struct credential_user *user, const struct login_choice *choice,
       const char *password)
{
	enum passdb_result result = judge(request, choice);

	if (result != PASSDB_RESULT_OK)
		return result;
	if (set_fields(request, user, choice, password) < 0)
		return PASSDB_RESULT_INTERNAL_FAILURE;
	plan_after_login(request, path, user, choice);
	return result;
}

/* A user NULL is unknown: it takes as long as a wrong password, and is answered
   by the same. "Unknown" would be cached, and the second try be faster. */
static enum passdb_result
check(struct auth_request *request, const char *path,
      const struct credential_user *user, const char *password)
{
	struct login_choice choice;
	enum passdb_result result;

	login_choice_make(user, password, compat_passdb_protocol(request),
			  ioloop_time, &choice);
	result = passdb_json_verify(request, choice.hash, choice.secret);
	if (result == PASSDB_RESULT_PASSWORD_MISMATCH)
		log_failure(request, user == NULL);
	else if (result == PASSDB_RESULT_OK) {
		i_assert(user != NULL);
		result = let_in(request, path, user, &choice, password);
	}
	login_choice_wipe(&choice);
	return result;
}

static enum passdb_result
login(struct auth_request *request, const char *password)
{
	struct credential_user user;
	const char *path;
	int ret;

	ret = passdb_json_find_user(request, pool_datastack_create(), &path,
				    &user);
	if (ret < 0)
		return PASSDB_RESULT_INTERNAL_FAILURE;
	return check(request, path, ret > 0 ? &user : NULL, password);
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
			result = login(request, password);
	} T_END;
	callback(result, request);
}
