/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "crc32.h"
#include "imap-util.h"
#include "str.h"
#include "test-common.h"
#include "brief.h"
#include "test-brief-use.h"

const char *rewrite(const char *text)
{
	struct policy_state *state = parse(text);

	text = print(state);
	policy_state_deinit(&state);
	return text;
}

static const char *or_none(const char *text)
{
	return *text == '\0' ? "-" : text;
}

const char *epoch_text(const struct policy_epoch *epoch)
{
	string_t *text = t_str_new(256), *recorded = t_str_new(32);
	const struct pop3_retention_bounds *bounds = &epoch->retention;
	const struct policy_anchor *anchor = &epoch->anchors[0];

	imap_write_seq_range(recorded, &epoch->recorded);
	str_printfa(text, "%u %u %u %u %d %s %s", epoch->number,
		    epoch->uidvalidity, epoch->uidnext, epoch->live,
		    epoch->reuse_xuidl ? 1 : 0, or_none(epoch->uidl_format),
		    or_none(str_c(recorded)));
	if (epoch->anchors_count > 0) {
		str_printfa(text, " %u %s %s %s", anchor->uid,
			    or_none(anchor->guid), or_none(anchor->hash),
			    or_none(anchor->uidl));
	}
	str_printfa(text, " %"PRIdTIME_T" %"PRIdTIME_T" %"PRIdTIME_T
		    " %"PRIdTIME_T" %"PRIdTIME_T" %"PRIdTIME_T" %u",
		    bounds->checked, bounds->oldest_downloaded,
		    bounds->oldest_undownloaded, bounds->recheck,
		    bounds->clock_jumped, epoch->listed, epoch->journal_lines);
	return str_c(text);
}

const char *brief_text(const void *data, size_t size)
{
	pool_t pool = pool_alloconly_create("test brief", 512);
	struct policy_epoch epoch;
	const char *text = "none";
	int ret;

	memset(&epoch, 0xff, sizeof(epoch));
	ret = policy_brief_parse(data, size, pool, &epoch);
	test_assert(ret == 0 || ret == 1);
	if (ret == 1) {
		test_assert(array_count(&epoch.told) == 0);
		test_assert(array_count(&epoch.downloaded) == 0);
		test_assert(array_count(&epoch.stored) == 0);
		test_assert(array_count(&epoch.devices) == 0);
		test_assert(epoch.journal_generation == 0 &&
			    epoch.journal_gone == 0);
		test_assert(epoch.anchors_count <= 1);
		text = epoch_text(&epoch);
	}
	pool_unref(&pool);
	return text;
}

const char *brief_of(const char *text)
{
	return brief_text(text, strlen(text));
}

const char *sign(const char *rest)
{
	return t_strdup_printf(BEGIN"%08x %s", crc32_str(rest), rest);
}
