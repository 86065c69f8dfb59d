/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "crc32.h"
#include "str.h"
#include "strnum.h"
#include "epoch.h"
#include "uidl.h"
#include "brief.h"

#define BRIEF_BEGIN "{\"" POLICY_BRIEF_MEMBER "\":\""
#define BRIEF_BEGIN_LEN (sizeof(BRIEF_BEGIN) - 1)
#define CHECKSUM_LEN 8
/* Words behind the checksum. */
#define BRIEF_WORDS 17
#define BRIEF_MAX_SIZE 1024
/* stands for "" */
#define NO_WORD "-"

static const char *checksum(const void *data, size_t size)
{
	return t_strdup_printf("%08x", crc32_data_more(0, data, size));
}

/* A word that needs no quoting in JSON, and no brief of its own. */
static bool word_is_plain(const char *word)
{
	const char *p;

	for (p = word; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\')
			return FALSE;
	}
	return strcmp(word, NO_WORD) != 0;
}

static bool all_is_recorded(const struct policy_epoch *epoch)
{
	const struct seq_range *range;

	if (epoch->uidnext == 1)
		return TRUE;
	if (array_count(&epoch->recorded) != 1)
		return FALSE;
	range = array_front(&epoch->recorded);
	return range->seq1 == 1 && range->seq2 == epoch->uidnext - 1;
}

static bool told_is_simple(const struct policy_epoch *epoch)
{
	const struct policy_told *told;

	array_foreach(&epoch->told, told) {
		if ((told->uidvalidity == 0 ||
		     told->uidvalidity == epoch->uidvalidity) &&
		    told->below > epoch->uidnext)
			return FALSE;
	}
	return TRUE;
}

static bool epoch_is_simple(const struct policy_epoch *epoch)
{
	const struct policy_anchor *anchor = &epoch->anchors[0];

	return array_count(&epoch->stored) == 0 && all_is_recorded(epoch) &&
		told_is_simple(epoch) && word_is_plain(epoch->uidl_format) &&
		(epoch->anchors_count == 0 ||
		 (word_is_plain(anchor->guid) && word_is_plain(anchor->hash) &&
		  word_is_plain(anchor->uidl)));
}

static const char *word(const char *value)
{
	return *value == '\0' ? NO_WORD : value;
}

void policy_brief_insert(string_t *dest, size_t offset,
			 const struct policy_epoch *epoch)
{
	static const struct policy_anchor no_anchor = {
		.guid = "", .hash = "", .uidl = ""
	};
	const struct policy_anchor *anchor = epoch->anchors_count == 0 ?
		&no_anchor : &epoch->anchors[0];
	const char *begin, *rest;

	if (!epoch_is_simple(epoch))
		return;
	/* the other members follow the "{" */
	rest = t_strdup_printf("%u %u %u %u %d %s %u %s %s %s "
		"%"PRIdTIME_T" %"PRIdTIME_T" %"PRIdTIME_T" %"PRIdTIME_T
		" %"PRIdTIME_T" %"PRIdTIME_T" %u\",%s",
		epoch->number, epoch->uidvalidity, epoch->uidnext, epoch->live,
		epoch->reuse_xuidl ? 1 : 0, word(epoch->uidl_format),
		anchor->uid, word(anchor->guid), word(anchor->hash),
		word(anchor->uidl), epoch->retention.checked,
		epoch->retention.oldest_downloaded,
		epoch->retention.oldest_undownloaded, epoch->retention.recheck,
		epoch->retention.clock_jumped, epoch->listed,
		epoch->journal_lines, str_c(dest) + offset + 1);
	begin = t_strconcat(BRIEF_BEGIN, checksum(rest, strlen(rest)), " ",
			    NULL);
	str_truncate(dest, offset);
	str_append(dest, begin);
	str_append(dest, rest);
}

static const char *value(pool_t pool, const char *word)
{
	return strcmp(word, NO_WORD) == 0 ? "" : p_strdup(pool, word);
}

static int time_parse(const char *word, time_t *time_r)
{
	uint64_t seconds;

	if (str_to_uint64(word, &seconds) < 0 || seconds > INT64_MAX)
		return -1;
	*time_r = (time_t)seconds;
	return 0;
}

static int
times_parse(const char *const *words, struct pop3_retention_bounds *bounds)
{
	return time_parse(words[0], &bounds->checked) < 0 ||
		time_parse(words[1], &bounds->oldest_downloaded) < 0 ||
		time_parse(words[2], &bounds->oldest_undownloaded) < 0 ||
		time_parse(words[3], &bounds->recheck) < 0 ||
		time_parse(words[4], &bounds->clock_jumped) < 0 ? -1 : 0;
}

static int
words_parse(const char *const *words, pool_t pool, struct policy_epoch *epoch)
{
	struct policy_anchor *anchor = &epoch->anchors[0];

	if (str_array_length(words) != BRIEF_WORDS ||
	    str_to_uint32(words[0], &epoch->number) < 0 ||
	    str_to_uint32(words[1], &epoch->uidvalidity) < 0 ||
	    str_to_uint32(words[2], &epoch->uidnext) < 0 ||
	    str_to_uint32(words[3], &epoch->live) < 0 ||
	    str_to_uint32(words[6], &anchor->uid) < 0 ||
	    times_parse(words + 10, &epoch->retention) < 0 ||
	    time_parse(words[15], &epoch->listed) < 0 ||
	    str_to_uint32(words[16], &epoch->journal_lines) < 0)
		return -1;
	epoch->reuse_xuidl = strcmp(words[4], "1") == 0;
	epoch->uidl_format = value(pool, words[5]);
	anchor->guid = value(pool, words[7]);
	anchor->hash = value(pool, words[8]);
	anchor->uidl = value(pool, words[9]);
	epoch->anchors_count = anchor->uid == 0 ? 0 : 1;
	return epoch->uidnext == 0 ? -1 : 0;
}

static void init_sets(struct policy_epoch *epoch, pool_t pool)
{
	p_array_init(&epoch->told, pool, 1);
	p_array_init(&epoch->recorded, pool, 1);
	p_array_init(&epoch->downloaded, pool, 1);
	p_array_init(&epoch->stored, pool, 1);
	p_array_init(&epoch->devices, pool, 1);
	if (epoch->uidnext > 1) {
		seq_range_array_add_range(&epoch->recorded, 1,
					  epoch->uidnext - 1);
	}
}

int policy_brief_parse(const void *text, size_t size, pool_t pool,
		       struct policy_epoch *epoch_r)
{
	const char *sum = (const char *)text + BRIEF_BEGIN_LEN, *rest, *end;
	size_t rest_size;

	if (size <= BRIEF_BEGIN_LEN + CHECKSUM_LEN + 1 ||
	    memcmp(text, BRIEF_BEGIN, BRIEF_BEGIN_LEN) != 0 ||
	    sum[CHECKSUM_LEN] != ' ')
		return 0;
	rest = sum + CHECKSUM_LEN + 1;
	rest_size = size - BRIEF_BEGIN_LEN - CHECKSUM_LEN - 1;
	end = memchr(rest, '"', I_MIN(rest_size, BRIEF_MAX_SIZE));
	if (end == NULL ||
	    memcmp(sum, checksum(rest, rest_size), CHECKSUM_LEN) != 0)
		return 0;
	i_zero(epoch_r);
	if (words_parse(t_strsplit(t_strdup_until(rest, end), " "), pool,
			epoch_r) < 0)
		return 0;
	init_sets(epoch_r, pool);
	return 1;
}
