/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "test-epoch-use.h"

struct policy_state *parse(const char *text)
{
	struct policy_state *state;
	const char *error;

	if (policy_state_parse(text, strlen(text), &state, &error) !=
	    POLICY_STATE_PARSED)
		i_fatal("policy_state_parse(%s): %s", text, error);
	return state;
}

const char *print(struct policy_state *state)
{
	string_t *text = t_str_new(4096);

	policy_state_print(state, text);
	return str_c(text);
}

const char *ranges_text(const ARRAY_TYPE(seq_range) *ranges)
{
	string_t *text = t_str_new(128);

	imap_write_seq_range(text, ranges);
	return str_c(text);
}

const char *devices_text(const struct policy_epoch *epoch)
{
	const struct policy_device *device;
	string_t *text = t_str_new(128);

	array_foreach(&epoch->devices, device) {
		str_printfa(text, "%s%s=%s", str_len(text) == 0 ? "" : " ",
			    device->name, ranges_text(&device->downloaded));
	}
	return str_c(text);
}

const char *times_text(const struct pop3_retention_bounds *bounds)
{
	return t_strdup_printf("%"PRIdTIME_T" %"PRIdTIME_T" %"PRIdTIME_T
		" %"PRIdTIME_T" %"PRIdTIME_T, bounds->checked,
		bounds->oldest_downloaded, bounds->oldest_undownloaded,
		bounds->recheck, bounds->clock_jumped);
}
