/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "time-util.h"
#include "mail-user.h"
#include "compat-doveadm.h"
#include "compat-mail-user.h"
#include "doveadm-print.h"
#include "pop3-policy-settings.h"
#include "store.h"
#include "doveadm-pop3-policy-plugin.h"

#include <time.h>

static const char *const resource_names[POP3_QUOTA_RESOURCE_COUNT] = {
	"bytes", "messages"
};

/* What both commands need of a user. */
struct quota_cmd_user {
	const struct pop3_policy_settings *set;
	struct policy_store *store;
	time_t now;
};

static int
quota_cmd_user_init(struct quota_cmd_user *cuser, struct mail_user *user,
		    const char **error_r)
{
	const char *dir;

	i_zero(cuser);
	if (pop3_policy_settings_get(user, &cuser->set, error_r) < 0)
		return -1;
	if (pop3_policy_settings_state_dir(cuser->set, user, &dir,
					   error_r) < 0) {
		pop3_policy_settings_free(&cuser->set);
		return -1;
	}
	cuser->store = policy_store_init(dir,
		compat_mail_user_wants_fsync(user), user->event);
	cuser->now = time(NULL);
	return 0;
}

static void quota_cmd_user_deinit(struct quota_cmd_user *cuser)
{
	policy_store_deinit(&cuser->store);
	pop3_policy_settings_free(&cuser->set);
}

/* The two commands differ in what they do with the state of a user. */
typedef int
quota_cmd_func_t(const struct quota_cmd_user *cuser, const char **error_r);

static int
quota_cmd_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user,
	      quota_cmd_func_t *func)
{
	struct quota_cmd_user cuser;
	const char *error;
	int ret;

	ret = quota_cmd_user_init(&cuser, user, &error);
	if (ret == 0) {
		ret = func(&cuser, &error);
		quota_cmd_user_deinit(&cuser);
	}
	if (ret < 0) {
		e_error(user->event, "pop3_policy: %s", error);
		doveadm_mail_failed_error(ctx, MAIL_ERROR_TEMP);
	}
	return ret;
}

static void print_counter_name(unsigned int window, unsigned int resource)
{
	doveadm_print(pop3_quota_window_name(window));
	doveadm_print(resource_names[resource]);
}

static void
print_limit(const struct pop3_quota_counter *counter, unsigned int window,
	    unsigned int resource, uint64_t limit, time_t now)
{
	uint64_t used = counter->used.n[resource];
	time_t end = pop3_quota_counter_end(counter, window, now);

	print_counter_name(window, resource);
	doveadm_print_num(used);
	doveadm_print_num(limit);
	doveadm_print_num(pop3_quota_subtract(limit, used));
	doveadm_print(t_strflocaltime("%Y-%m-%d %H:%M:%S %z", end));
}

static int
quota_get(const struct quota_cmd_user *cuser, const char **error_r)
{
	struct policy_state *state;
	struct pop3_quota_counters *counters;
	unsigned int w, r;

	if (policy_store_read(cuser->store, &state, error_r) != POLICY_STORE_OK)
		return -1;
	counters = policy_state_quota(state);
	(void)pop3_quota_roll(counters, cuser->now);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			uint64_t limit = cuser->set->quota.window[w].n[r];

			if (limit != 0) {
				print_limit(&counters->window[w], w, r, limit,
					    cuser->now);
			}
		}
	}
	policy_state_deinit(&state);
	return 0;
}

/* TRUE if nothing is counted, also because there is no state at all. */
static bool counters_are_empty(const struct pop3_quota_counters *counters)
{
	unsigned int w, r;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			if (counters->window[w].used.n[r] != 0)
				return FALSE;
		}
	}
	return TRUE;
}

static int
quota_reset(const struct quota_cmd_user *cuser, const char **error_r)
{
	struct pop3_quota_counters *counters, before;
	struct policy_state *state;
	enum policy_store_result result;
	unsigned int w, r;
	bool empty;

	/* -A must not make a folder in each home */
	if (policy_store_read(cuser->store, &state, error_r) != POLICY_STORE_OK)
		return -1;
	empty = counters_are_empty(policy_state_quota(state));
	policy_state_deinit(&state);
	if (empty)
		return 0;

	result = policy_store_begin(cuser->store, &state, error_r);
	if (result == POLICY_STORE_UNUSABLE)
		return -1;
	counters = policy_state_quota(state);
	(void)pop3_quota_roll(counters, cuser->now);
	before = *counters;
	pop3_quota_reset(counters, cuser->now);
	if (result == POLICY_STORE_OK)
		result = policy_store_commit(cuser->store, state, error_r);
	policy_state_deinit(&state);
	if (result != POLICY_STORE_OK)
		return -1;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			if (before.window[w].used.n[r] == 0)
				continue;
			print_counter_name(w, r);
			doveadm_print_num(before.window[w].used.n[r]);
		}
	}
	return 0;
}

static void print_header_number(const char *key, const char *title)
{
	doveadm_print_header(key, title,
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
}

static void cmd_quota_get_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	doveadm_print_header("window", "Window", 0);
	doveadm_print_header("type", "Type", 0);
	print_header_number("used", "Used");
	print_header_number("limit", "Limit");
	print_header_number("left", "Left");
	doveadm_print_header("resets_at", "Resets at", 0);
}

static void cmd_quota_reset_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	doveadm_print_header("window", "Window", 0);
	doveadm_print_header("type", "Type", 0);
	print_header_number("reset", "Reset");
}

static int
cmd_quota_get_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user)
{
	return quota_cmd_run(ctx, user, quota_get);
}

static int
cmd_quota_reset_run(struct doveadm_mail_cmd_context *ctx,
		    struct mail_user *user)
{
	return quota_cmd_run(ctx, user, quota_reset);
}

static struct doveadm_mail_cmd_context *cmd_quota_get_alloc(void)
{
	struct doveadm_mail_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mail_cmd_context);
	ctx->v.init = cmd_quota_get_init;
	ctx->v.run = cmd_quota_get_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return ctx;
}

static struct doveadm_mail_cmd_context *cmd_quota_reset_alloc(void)
{
	struct doveadm_mail_cmd_context *ctx;

	ctx = doveadm_mail_cmd_alloc(struct doveadm_mail_cmd_context);
	ctx->v.init = cmd_quota_reset_init;
	ctx->v.run = cmd_quota_reset_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return ctx;
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_quota_get = {
	.name = "pop3 quota get",
	.usage = "",
	.mail_cmd = cmd_quota_get_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAMS_END
};

struct doveadm_cmd_ver2 doveadm_cmd_pop3_quota_reset = {
	.name = "pop3 quota reset",
	.usage = "",
	.mail_cmd = cmd_quota_reset_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAMS_END
};
