/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "state.h"

#include <jansson.h>

#define STATE_VERSION 1
/* A larger one has members of others and is printed in one line. */
#define INDENTED_MAX_SIZE 4095

#define MEMBER_VERSION "version"
#define MEMBER_QUOTA "quota"
#define MEMBER_WINDOWS "windows"
#define MEMBER_START "start"
#define MEMBER_BEHIND_SINCE "clock_behind_since"

static const char *const resource_members[POP3_QUOTA_RESOURCE_COUNT] = {
	"bytes", "messages"
};

struct policy_state {
	int refcount;
	json_t *root;
	struct pop3_quota_counters quota;
	/* what root says of them */
	struct pop3_quota_counters root_quota;
};

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
	return policy_state_ref(state);
}

struct pop3_quota_counters *policy_state_quota(struct policy_state *state)
{
	return &state->quota;
}

/* *value_r is NULL if parent is, or has no such member. */
static int
get_object(json_t *parent, const char *name, json_t **value_r,
	   const char **error_r)
{
	*value_r = json_object_get(parent, name);
	if (*value_r != NULL && !json_is_object(*value_r)) {
		*error_r = t_strdup_printf("%s is not an object", name);
		return -1;
	}
	return 0;
}

static int
get_number(json_t *parent, const char *name, uint64_t *number_r,
	   const char **error_r)
{
	json_t *value = json_object_get(parent, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0) {
		*error_r = t_strdup_printf(
			"%s is not a whole number of 0 or more", name);
		return -1;
	}
	*number_r = (uint64_t)json_integer_value(value);
	return 0;
}

static int
counter_parse(json_t *window, struct pop3_quota_counter *counter,
	      const char **error_r)
{
	uint64_t start, behind_since = 0;
	unsigned int r;

	if (get_number(window, MEMBER_START, &start, error_r) < 0)
		return -1;
	counter->start = (time_t)start;
	if (json_object_get(window, MEMBER_BEHIND_SINCE) != NULL &&
	    get_number(window, MEMBER_BEHIND_SINCE, &behind_since, error_r) < 0)
		return -1;
	counter->behind_since = (time_t)behind_since;
	for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
		if (get_number(window, resource_members[r],
			       &counter->used.n[r], error_r) < 0)
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

	if (get_object(root, MEMBER_QUOTA, &quota, error_r) < 0 ||
	    get_object(quota, MEMBER_WINDOWS, &windows, error_r) < 0)
		return -1;
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		const char *name = pop3_quota_window_name(w), *error;

		if (get_object(windows, name, &window, error_r) < 0)
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

static enum policy_state_parse_result
version_check(json_t *root, const char **error_r)
{
	uint64_t version;

	if (!json_is_object(root)) {
		*error_r = "not a JSON object";
		return POLICY_STATE_CORRUPT;
	}
	if (get_number(root, MEMBER_VERSION, &version, error_r) < 0)
		return POLICY_STATE_CORRUPT;
	if (version == 0) {
		*error_r = "version 0 does not exist";
		return POLICY_STATE_CORRUPT;
	}
	if (version > STATE_VERSION) {
		*error_r = t_strdup_printf("version %"PRIu64" is newer than "
			"version %u, which this plugin knows: upgrade it",
			version, STATE_VERSION);
		return POLICY_STATE_TOO_NEW;
	}
	return POLICY_STATE_PARSED;
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
					   json_error.text);
		return POLICY_STATE_CORRUPT;
	}
	state = state_alloc(root);
	result = version_check(root, error_r);
	if (result == POLICY_STATE_PARSED &&
	    quota_parse(root, &state->quota, error_r) < 0)
		result = POLICY_STATE_CORRUPT;
	if (result == POLICY_STATE_PARSED) {
		state->root_quota = state->quota;
		*state_r = state;
	} else {
		policy_state_deinit(&state);
	}
	return result;
}

static void set_number(json_t *parent, const char *name, uint64_t number)
{
	json_int_t value = (json_int_t)I_MIN(number, (uint64_t)INT64_MAX);

	if (json_object_set_new(parent, name, json_integer(value)) < 0)
		i_unreached();
}

/* The member of that name, made if parent has none. */
static json_t *make_object(json_t *parent, const char *name)
{
	json_t *value = json_object_get(parent, name);

	if (value == NULL) {
		value = json_object();
		if (json_object_set_new(parent, name, value) < 0)
			i_unreached();
	}
	return value;
}

static void print_json(json_t *root, size_t flags, string_t *dest)
{
	size_t offset = str_len(dest), size = 0, needed = 1024;

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

void policy_state_print(struct policy_state *state, string_t *dest)
{
	json_t *windows;
	unsigned int w, r;
	size_t offset;

	set_number(state->root, MEMBER_VERSION, STATE_VERSION);
	windows = make_object(make_object(state->root, MEMBER_QUOTA),
			      MEMBER_WINDOWS);
	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		const struct pop3_quota_counter *counter =
			&state->quota.window[w];
		json_t *window = make_object(windows, pop3_quota_window_name(w));

		set_number(window, MEMBER_START, (uint64_t)counter->start);
		if (counter->behind_since != 0) {
			set_number(window, MEMBER_BEHIND_SINCE,
				   (uint64_t)counter->behind_since);
		} else {
			(void)json_object_del(window, MEMBER_BEHIND_SINCE);
		}
		for (r = 0; r < POP3_QUOTA_RESOURCE_COUNT; r++) {
			set_number(window, resource_members[r],
				   counter->used.n[r]);
		}
	}
	state->root_quota = state->quota;
	offset = str_len(dest);
	print_json(state->root, JSON_INDENT(1), dest);
	if (str_len(dest) - offset > INDENTED_MAX_SIZE) {
		/* not ours alone: it must not grow */
		str_truncate(dest, offset);
		print_json(state->root, JSON_COMPACT, dest);
	}
	str_append_c(dest, '\n');
}
