/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "pop3-policy-settings.h"
#include "store.h"
#include "cmd-print.h"
#include "state-cmd.h"
#include "doveadm-pop3-policy-plugin.h"

static const char *const resource_names[POP3_QUOTA_RESOURCE_COUNT] = {
	"bytes", "messages"
};

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

	print_counter_name(window, resource);
	doveadm_print_num(used);
	doveadm_print_num(limit);
	doveadm_print_num(pop3_quota_subtract(limit, used));
	cmd_print_time(pop3_quota_counter_end(counter, window, now), "-");
}

static int
quota_get(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
	  struct state_cmd *cmd, const char **error_r)
{
	struct policy_state *state;
	struct pop3_quota_counters *counters;
	unsigned int w, r;

	if (policy_store_read(cmd->store, &state, error_r) != POLICY_STORE_OK)
		return -1;
	counters = policy_state_quota(state);
	(void)pop3_quota_roll(counters, cmd->now);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			uint64_t limit = cmd->set->quota.window[w].n[r];

			if (limit != 0) {
				print_limit(&counters->window[w], w, r, limit,
					    cmd->now);
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
quota_reset(struct doveadm_mail_cmd_context *ctx ATTR_UNUSED,
	    struct state_cmd *cmd, const char **error_r)
{
	struct pop3_quota_counters *counters, before;
	struct policy_state *state;
	enum policy_store_result result;
	unsigned int w, r;
	bool empty;

	/* -A must not make a folder in each home */
	if (policy_store_read(cmd->store, &state, error_r) != POLICY_STORE_OK)
		return -1;
	empty = counters_are_empty(policy_state_quota(state));
	policy_state_deinit(&state);
	if (empty)
		return 0;

	result = policy_store_begin(cmd->store, &state, error_r);
	if (result == POLICY_STORE_UNUSABLE)
		return -1;
	counters = policy_state_quota(state);
	(void)pop3_quota_roll(counters, cmd->now);
	before = *counters;
	pop3_quota_reset(counters, cmd->now);
	if (result == POLICY_STORE_OK)
		result = policy_store_commit(cmd->store, state, error_r);
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

static void cmd_quota_get_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	doveadm_print_header("window", "Window", 0);
	doveadm_print_header("type", "Type", 0);
	cmd_print_number_header("used", "Used");
	cmd_print_number_header("limit", "Limit");
	cmd_print_number_header("left", "Left");
	doveadm_print_header("resets_at", "Resets at", 0);
}

static void cmd_quota_reset_init(COMPAT_DOVEADM_INIT_PARAMS)
{
	doveadm_print_header("window", "Window", 0);
	doveadm_print_header("type", "Type", 0);
	cmd_print_number_header("reset", "Reset");
}

static int
cmd_quota_get_run(struct doveadm_mail_cmd_context *ctx, struct mail_user *user)
{
	return state_cmd_run(ctx, user, quota_get);
}

static int
cmd_quota_reset_run(struct doveadm_mail_cmd_context *ctx,
		    struct mail_user *user)
{
	return state_cmd_run(ctx, user, quota_reset);
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
