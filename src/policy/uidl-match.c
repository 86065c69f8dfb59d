/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "uidl-match.h"

/* The messages of one GUID, or of one fingerprint. */
struct match_group {
	/* how many of them had no match at the beginning */
	unsigned int known_count, found_count;
	/* No known message of the group before this one is left. With
	   next_known of the match it makes a list in the order of the array. */
	unsigned int first_known;
};

struct uidl_match {
	pool_t pool;
	bool by_hash;

	const struct pop3_message *known;
	unsigned int known_count;
	struct pop3_found_message *found;
	unsigned int found_count;

	/* NULL for a message that is matched, has no key, or (of those that
	   were found) a key that no known message has */
	struct match_group **known_groups;
	struct match_group **found_groups;
	/* by known message: the next one of its group, or known_count */
	unsigned int *next_known;
	HASH_TABLE(const char *, struct match_group *) groups;
};

static void match_group_known(struct uidl_match *match)
{
	bool *taken = p_new(match->pool, bool, match->known_count);
	struct match_group *group;
	unsigned int i;

	for (i = 0; i < match->found_count; i++) {
		const struct pop3_message *known = match->found[i].known;

		if (known != NULL) {
			i_assert(known >= match->known &&
				 known < match->known + match->known_count);
			taken[known - match->known] = TRUE;
		}
	}
	/* from the end, so that each list is in the order of the array */
	for (i = match->known_count; i-- > 0; ) {
		const char *key = match->by_hash ? match->known[i].hash :
			match->known[i].guid;

		if (taken[i] || *key == '\0')
			continue;
		group = hash_table_lookup(match->groups, key);
		if (group == NULL) {
			group = p_new(match->pool, struct match_group, 1);
			group->first_known = match->known_count;
			hash_table_insert(match->groups, key, group);
		}
		match->known_groups[i] = group;
		match->next_known[i] = group->first_known;
		group->first_known = i;
		group->known_count++;
	}
}

static void match_group_found(struct uidl_match *match)
{
	struct match_group *group;
	unsigned int i;

	for (i = 0; i < match->found_count; i++) {
		const char *key = match->by_hash ? match->found[i].hash :
			match->found[i].guid;

		if (match->found[i].known != NULL || *key == '\0')
			continue;
		group = hash_table_lookup(match->groups, key);
		if (group != NULL) {
			match->found_groups[i] = group;
			group->found_count++;
		}
	}
}

static bool match_may_take(const struct uidl_match *match,
			   const struct match_group *group)
{
	return !match->by_hash || group->known_count == group->found_count;
}

static void match_take(struct uidl_match *match, unsigned int known_idx,
		       unsigned int found_idx)
{
	match->found[found_idx].known = &match->known[known_idx];
	match->known_groups[known_idx] = NULL;
	match->found_groups[found_idx] = NULL;
}

static void match_same_uids(struct uidl_match *match)
{
	HASH_TABLE(void *, void *) uids;
	unsigned int i;

	hash_table_create_direct(&uids, match->pool, match->known_count);
	for (i = 0; i < match->known_count; i++) {
		/* the value is one more than the index, as NULL is none */
		if (match->known_groups[i] != NULL && match->known[i].uid != 0)
			hash_table_update(uids,
					  POINTER_CAST(match->known[i].uid),
					  POINTER_CAST(i + 1));
	}
	for (i = 0; i < match->found_count; i++) {
		struct match_group *group = match->found_groups[i];
		void *value;

		if (group == NULL || !match_may_take(match, group))
			continue;
		value = hash_table_lookup(uids,
					  POINTER_CAST(match->found[i].uid));
		if (value != NULL) {
			unsigned int idx = POINTER_CAST_TO(value, unsigned int);

			if (match->known_groups[idx - 1] == group)
				match_take(match, idx - 1, i);
		}
	}
	hash_table_destroy(&uids);
}

/* Returns how many found messages are left whose key is known. */
static unsigned int match_in_order(struct uidl_match *match)
{
	unsigned int i, left = 0;

	for (i = 0; i < match->found_count; i++) {
		struct match_group *group = match->found_groups[i];

		if (group == NULL)
			continue;
		while (group->first_known < match->known_count &&
		       match->known_groups[group->first_known] == NULL) {
			group->first_known =
				match->next_known[group->first_known];
		}
		if (group->first_known < match->known_count &&
		    match_may_take(match, group))
			match_take(match, group->first_known, i);
		else
			left++;
	}
	return left;
}

static unsigned int
match_by_key(const ARRAY_TYPE(pop3_message) *known,
	     ARRAY_TYPE(pop3_found_message) *found, bool by_hash,
	     bool same_uids)
{
	struct uidl_match match;
	unsigned int left;

	i_zero(&match);
	match.by_hash = by_hash;
	match.known = array_get(known, &match.known_count);
	match.found = array_get_modifiable(found, &match.found_count);
	if (match.known_count == 0 || match.found_count == 0)
		return 0;

	match.pool = pool_alloconly_create("uidl match", 1024 * 16);
	match.known_groups = p_new(match.pool, struct match_group *,
				   match.known_count);
	match.found_groups = p_new(match.pool, struct match_group *,
				   match.found_count);
	match.next_known = p_new(match.pool, unsigned int, match.known_count);
	hash_table_create(&match.groups, match.pool, match.known_count,
			  str_hash, strcmp);

	match_group_known(&match);
	match_group_found(&match);
	if (same_uids)
		match_same_uids(&match);
	left = match_in_order(&match);

	hash_table_destroy(&match.groups);
	pool_unref(&match.pool);
	return left;
}

void pop3_uidl_match_guids(const ARRAY_TYPE(pop3_message) *known,
			   ARRAY_TYPE(pop3_found_message) *found,
			   bool same_uids)
{
	(void)match_by_key(known, found, FALSE, same_uids);
}

unsigned int
pop3_uidl_match_hashes(const ARRAY_TYPE(pop3_message) *known,
		       ARRAY_TYPE(pop3_found_message) *found, bool same_uids)
{
	return match_by_key(known, found, TRUE, same_uids);
}
