/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "brief.h"
#include "epoch.h"
#include "epoch-json.h"
#include "printable.h"
#include "state-json.h"
#include "state.h"

#include <jansson.h>

#define STATE_VERSION 1
/* A larger one has members of others and is printed in one line. */
#define INDENTED_MAX_SIZE 4094

#define MEMBER_QUOTA "quota"
#define MEMBER_WINDOWS "windows"
#define MEMBER_START "start"
#define MEMBER_BEHIND_SINCE "clock_behind_since"

static const char *const resource_members[POP3_QUOTA_RESOURCE_COUNT] = {
	"bytes", "messages"
};
static const char *const warned_members[POP3_QUOTA_RESOURCE_COUNT] = {
	"warned_bytes", "warned_messages"
};

struct kept_epoch {
	pool_t pool;
	struct policy_epoch epoch;
};

struct policy_state {
	int refcount;
	json_t *root;
	struct pop3_quota_counters quota;
	/* NULL if there is none */
	struct kept_epoch *epoch;
	/* what root says of them; root_epoch is epoch unless another one was
	   set since */
	struct pop3_quota_counters root_quota;
	struct kept_epoch *root_epoch;
};

static struct kept_epoch *kept_epoch_alloc(void)
{
	pool_t pool = pool_alloconly_create("policy epoch", 2048);
	struct kept_epoch *kept = p_new(pool, struct kept_epoch, 1);

	kept->pool = pool;
	return kept;
}

static void kept_epoch_free(struct kept_epoch **_kept)
{
	struct kept_epoch *kept = *_kept;

	*_kept = NULL;
	if (kept != NULL)
		pool_unref(&kept->pool);
}

/* Hold this epoch instead of the one that is not written yet. */
static void
state_hold_epoch(struct policy_state *state, struct kept_epoch *kept)
{
	if (state->epoch != state->root_epoch)
		kept_epoch_free(&state->epoch);
	state->epoch = kept;
}

static struct policy_state *state_alloc(json_t *root)
{
	struct policy_state *state = i_new(struct policy_state, 1);

	state->refcount = 1;
	state->root = root;
	return state;
}

struct policy_state *policy_state_init(void)
{
	return state_alloc(json_object());
}

void policy_state_deinit(struct policy_state **_state)
{
	struct policy_state *state = *_state;

	if (state == NULL)
		return;
	*_state = NULL;
	i_assert(state->refcount > 0);
	if (--state->refcount > 0)
		return;
	state_hold_epoch(state, NULL);
	kept_epoch_free(&state->root_epoch);
	json_decref(state->root);
	i_free(state);
}

struct policy_state *policy_state_ref(struct policy_state *state)
{
	state->refcount++;
	return state;
}

struct policy_state *policy_state_ref_unchanged(struct policy_state *state)
{
	if (state->refcount > 1)
		return NULL;
	state->quota = state->root_quota;
	state_hold_epoch(state, state->root_epoch);
	return policy_state_ref(state);
}

struct pop3_quota_counters *policy_state_quota(struct policy_state *state)
{
	return &state->quota;
}

const struct policy_epoch *policy_state_epoch(const struct policy_state *state)
{
	return state->epoch == NULL ? NULL : &state->epoch->epoch;
}

void policy_state_set_epoch(struct policy_state *state,
			    const struct policy_epoch *epoch)
{
	struct kept_epoch *kept = kept_epoch_alloc();

	/* it may have strings of the one that it replaces */
	policy_epoch_copy(kept->pool, epoch, &kept->epoch);
	state_hold_epoch(state, kept);
}

static int
counter_parse(json_t *window, struct pop3_quota_counter *counter,
	      const char **error_r)
{
	uint64_t start, behind_since = 0;
	unsigned int r;

	if (state_json_get_number(window, MEMBER_START, &start, error_r) < 0)
		return -1;
	counter->start = (time_t)start;
	if (json_object_get(window, MEMBER_BEHIND_SINCE) != NULL &&
	    state_json_get_number(window, MEMBER_BEHIND_SINCE, &behind_since,
				  error_r) < 0)
		return -1;
	counter->behind_since = (time_t)behind_since;
	for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
		if (state_json_get_number(window, resource_members[r],
					  &counter->used.n[r], error_r) < 0)
			return -1;
		if (json_object_get(window, warned_members[r]) != NULL &&
		    state_json_get_number(window, warned_members[r],
					  &counter->warned.n[r], error_r) < 0)
			return -1;
	}
	return 0;
}

static int
quota_parse(json_t *root, struct pop3_quota_counters *counters,
	    const char **error_r)
{
	json_t *quota, *windows, *window;
	unsigned int w;

	if (state_json_get_object(root, MEMBER_QUOTA, &quota, error_r) < 0 ||
	    state_json_get_object(quota, MEMBER_WINDOWS, &windows, error_r) < 0)
		return -1;
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		const char *name = pop3_quota_window_name(w), *error;

		if (state_json_get_object(windows, name, &window, error_r) < 0)
			return -1;
		if (window != NULL &&
		    counter_parse(window, &counters->window[w], &error) < 0) {
			*error_r = t_strdup_printf("%s.%s.%s: %s", MEMBER_QUOTA,
						   MEMBER_WINDOWS, name, error);
			return -1;
		}
	}
	return 0;
}

static int
epoch_parse(json_t *root, struct kept_epoch **epoch_r, const char **error_r)
{
	json_t *uidl = json_object_get(root, EPOCH_JSON_MEMBER);
	struct kept_epoch *kept;

	if (uidl == NULL)
		return 0;
	kept = kept_epoch_alloc();
	if (epoch_json_parse(uidl, kept->pool, &kept->epoch, error_r) < 0) {
		kept_epoch_free(&kept);
		return -1;
	}
	*epoch_r = kept;
	return 0;
}

static enum policy_state_parse_result
root_parse_members(json_t *root, struct policy_state *state,
		   const char **error_r)
{
	int ret = state_json_is_newer(root, STATE_VERSION, error_r);

	if (ret > 0)
		return POLICY_STATE_TOO_NEW;
	if (ret < 0 || quota_parse(root, &state->root_quota, error_r) < 0 ||
	    epoch_parse(root, &state->root_epoch, error_r) < 0)
		return POLICY_STATE_CORRUPT;
	state->quota = state->root_quota;
	state->epoch = state->root_epoch;
	return POLICY_STATE_PARSED;
}

/* An error is logged, and may quote what the user has written. */
static enum policy_state_parse_result
root_parse(json_t *root, struct policy_state *state, const char **error_r)
{
	enum policy_state_parse_result result;
	const char *error;

	result = root_parse_members(root, state, &error);
	if (result != POLICY_STATE_PARSED)
		*error_r = pop3_printable(error);
	return result;
}

enum policy_state_parse_result
policy_state_parse(const void *data, size_t size, struct policy_state **state_r,
		   const char **error_r)
{
	enum policy_state_parse_result result;
	struct policy_state *state;
	json_error_t json_error;
	json_t *root;

	root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &json_error);
	if (root == NULL) {
		*error_r = t_strdup_printf("line %d column %d: %s",
					   json_error.line, json_error.column,
					   pop3_printable(json_error.text));
		return POLICY_STATE_CORRUPT;
	}
	/* printing makes it anew */
	(void)json_object_del(root, POLICY_BRIEF_MEMBER);
	state = state_alloc(root);
	result = root_parse(root, state, error_r);
	if (result == POLICY_STATE_PARSED)
		*state_r = state;
	else
		policy_state_deinit(&state);
	return result;
}

static void print_json(json_t *root, size_t flags, string_t *dest)
{
	size_t offset = str_len(dest), size = 0, needed = INDENTED_MAX_SIZE;

	/* longer than that only with members of others */
	while (needed > size) {
		size = needed;
		needed = json_dumpb(root,
			buffer_get_space_unsafe(dest, offset, size), size,
			flags);
		i_assert(needed > 0);
	}
	str_truncate(dest, offset + needed);
}

/* What is nothing is left out. */
static void
set_or_remove(json_t *window, const char *member, uint64_t number)
{
	if (number != 0)
		state_json_set_number(window, member, number);
	else
		(void)json_object_del(window, member);
}

static void root_set_quota(struct policy_state *state)
{
	json_t *windows = state_json_make_object(
		state_json_make_object(state->root, MEMBER_QUOTA),
		MEMBER_WINDOWS);
	unsigned int w, r;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		const struct pop3_quota_counter *counter =
			&state->quota.window[w];
		json_t *window = state_json_make_object(windows,
			pop3_quota_window_name(w));

		state_json_set_number(window, MEMBER_START,
				      (uint64_t)counter->start);
		set_or_remove(window, MEMBER_BEHIND_SINCE,
			      (uint64_t)counter->behind_since);
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			state_json_set_number(window, resource_members[r],
					      counter->used.n[r]);
			set_or_remove(window, warned_members[r],
				      counter->warned.n[r]);
		}
	}
	state->root_quota = state->quota;
}

static void root_set_epoch(struct policy_state *state)
{
	struct kept_epoch *kept = state->epoch;

	if (kept == state->root_epoch)
		return;
	epoch_json_set(state_json_make_object(state->root, EPOCH_JSON_MEMBER),
		       &kept->epoch);
	kept_epoch_free(&state->root_epoch);
	state->root_epoch = kept;
}

void policy_state_print(struct policy_state *state, string_t *dest)
{
	size_t offset = str_len(dest);

	state_json_set_number(state->root, "version", STATE_VERSION);
	root_set_quota(state);
	root_set_epoch(state);
	if (state->epoch == NULL)
		print_json(state->root, JSON_INDENT(1), dest);
	if (state->epoch != NULL ||
	    str_len(dest) - offset > INDENTED_MAX_SIZE) {
		/* in one line it is cheaper to read and write, and must not
		   grow if it is not ours alone */
		str_truncate(dest, offset);
		print_json(state->root, JSON_COMPACT, dest);
	}
	str_append_c(dest, '\n');
	if (state->epoch != NULL)
		policy_brief_insert(dest, offset, &state->epoch->epoch);
}
