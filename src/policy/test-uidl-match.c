/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "test-common.h"
#include "uidl-match.h"

#define MAX_MESSAGES 12
#define NO_MATCH -1

enum match_key { GUID, HASH };

struct match_test {
	const char *name;
	enum match_key key;
	bool same_uids;
	/* Each ends with a message whose guid is NULL. */
	struct pop3_message known[MAX_MESSAGES];
	struct {
		uint32_t uid;
		const char *guid, *hash;
		/* what it is before and afterwards: a place in known */
		int before, after;
	} found[MAX_MESSAGES];
	unsigned int left;
};

#define KNOWN(u, g, h) { .uid = (u), .guid = (g), .hash = (h), .uidl = "u" }
#define FOUND(u, g, h, after) { (u), (g), (h), NO_MATCH, (after) }
#define MATCHED(u, g, h, idx) { (u), (g), (h), (idx), (idx) }

static const struct match_test match_tests[] = {
	{ .name = "guid: others in any order", .key = GUID,
	  .known = { KNOWN(1, "a", ""), KNOWN(2, "b", ""), KNOWN(3, "c", "") },
	  .found = { FOUND(7, "c", "", 2), FOUND(8, "d", "", NO_MATCH),
		     FOUND(9, "a", "", 0) } },
	{ .name = "guid: none matches nothing", .key = GUID, .same_uids = TRUE,
	  .known = { KNOWN(1, "", "h"), KNOWN(2, "b", "h") },
	  .found = { FOUND(1, "", "h", NO_MATCH),
		     FOUND(2, "", "h", NO_MATCH) } },
	{ .name = "guid: UIDs alone match nothing", .key = GUID,
	  .same_uids = TRUE,
	  .known = { KNOWN(1, "a", "") },
	  .found = { FOUND(1, "b", "", NO_MATCH) } },
	{ .name = "guid: case matters", .key = GUID,
	  .known = { KNOWN(1, "a", "") },
	  .found = { FOUND(1, "A", "", NO_MATCH) } },
	{ .name = "guid: copies in the order of both", .key = GUID,
	  .known = { KNOWN(3, "a", ""), KNOWN(1, "a", ""), KNOWN(2, "a", "") },
	  .found = { FOUND(2, "a", "", 0), FOUND(1, "a", "", 1),
		     FOUND(3, "a", "", 2) } },
	{ .name = "guid: copies of the same UID first", .key = GUID,
	  .same_uids = TRUE,
	  .known = { KNOWN(1, "a", ""), KNOWN(2, "a", ""), KNOWN(3, "a", "") },
	  .found = { FOUND(9, "a", "", 0), FOUND(3, "a", "", 2),
		     FOUND(2, "a", "", 1) } },
	{ .name = "guid: surplus of those found", .key = GUID,
	  .known = { KNOWN(1, "a", "") },
	  .found = { FOUND(5, "a", "", 0), FOUND(6, "a", "", NO_MATCH) } },
	{ .name = "guid: surplus of those found, same UID", .key = GUID,
	  .same_uids = TRUE,
	  .known = { KNOWN(6, "a", "") },
	  .found = { FOUND(5, "a", "", NO_MATCH), FOUND(6, "a", "", 0) } },
	{ .name = "guid: surplus of those known", .key = GUID,
	  .known = { KNOWN(1, "a", ""), KNOWN(2, "a", ""), KNOWN(3, "a", "") },
	  .found = { FOUND(5, "a", "", 0), FOUND(6, "a", "", 1) } },
	{ .name = "guid: the same UID of another GUID", .key = GUID,
	  .same_uids = TRUE,
	  .known = { KNOWN(1, "a", ""), KNOWN(2, "b", "") },
	  .found = { FOUND(2, "a", "", 0), FOUND(1, "b", "", 1) } },
	{ .name = "guid: gone ones have no UID, but a match", .key = GUID,
	  .same_uids = TRUE,
	  .known = { KNOWN(0, "a", ""), KNOWN(0, "b", ""), KNOWN(0, "a", "") },
	  .found = { FOUND(4, "b", "", 1), FOUND(5, "a", "", 0) } },
	{ .name = "guid: what is matched already stays", .key = GUID,
	  .known = { KNOWN(1, "a", ""), KNOWN(2, "a", "") },
	  .found = { FOUND(7, "a", "", 1), MATCHED(8, "x", "", 0),
		     FOUND(9, "a", "", NO_MATCH) } },
	{ .name = "guid: a match of the same UID that is taken", .key = GUID,
	  .same_uids = TRUE,
	  .known = { KNOWN(1, "a", ""), KNOWN(2, "a", "") },
	  .found = { FOUND(1, "a", "", 1), MATCHED(2, "a", "", 0) } },
	{ .name = "guid: fingerprints do not matter", .key = GUID,
	  .known = { KNOWN(1, "a", "h"), KNOWN(2, "b", "i") },
	  .found = { FOUND(7, "a", "i", 0), FOUND(8, "c", "h", NO_MATCH) } },

	{ .name = "hash: one each", .key = HASH,
	  .known = { KNOWN(1, "a", "h"), KNOWN(2, "b", "i") },
	  .found = { FOUND(7, "c", "i", 1), FOUND(8, "d", "h", 0),
		     FOUND(9, "e", "j", NO_MATCH) } },
	{ .name = "hash: none matches nothing", .key = HASH, .same_uids = TRUE,
	  .known = { KNOWN(1, "a", "") },
	  .found = { FOUND(1, "a", "", NO_MATCH) } },
	{ .name = "hash: as many each, in order", .key = HASH,
	  .known = { KNOWN(2, "", "h"), KNOWN(1, "", "h") },
	  .found = { FOUND(1, "", "h", 0), FOUND(2, "", "h", 1) } },
	{ .name = "hash: as many each, same UID first", .key = HASH,
	  .same_uids = TRUE,
	  .known = { KNOWN(2, "", "h"), KNOWN(1, "", "h"), KNOWN(3, "", "h") },
	  .found = { FOUND(9, "", "h", 0), FOUND(3, "", "h", 2),
		     FOUND(1, "", "h", 1) } },
	{ .name = "hash: more found than known", .key = HASH, .left = 2,
	  .known = { KNOWN(1, "", "h"), KNOWN(2, "", "i") },
	  .found = { FOUND(7, "", "h", NO_MATCH), FOUND(8, "", "i", 1),
		     FOUND(9, "", "h", NO_MATCH) } },
	{ .name = "hash: more known than found, even of the same UID",
	  .key = HASH, .same_uids = TRUE, .left = 1,
	  .known = { KNOWN(1, "", "h"), KNOWN(2, "", "h") },
	  .found = { FOUND(1, "", "h", NO_MATCH) } },
	{ .name = "hash: only those count that are left", .key = HASH,
	  .known = { KNOWN(1, "a", "h"), KNOWN(2, "b", "h") },
	  .found = { MATCHED(7, "a", "h", 0), FOUND(8, "", "h", 1) } },
	{ .name = "hash: a copy of a message that is matched is new",
	  .key = HASH, .left = 0,
	  .known = { KNOWN(1, "a", "h") },
	  .found = { MATCHED(7, "a", "h", 0), FOUND(8, "b", "h", NO_MATCH) } },
	{ .name = "hash: GUIDs do not matter", .key = HASH,
	  .known = { KNOWN(1, "a", "h"), KNOWN(2, "b", "i") },
	  .found = { FOUND(7, "b", "h", 0), FOUND(8, "a", "j", NO_MATCH) } },

	{ .name = "nothing known", .key = HASH, .same_uids = TRUE,
	  .found = { FOUND(7, "a", "h", NO_MATCH) } },
	{ .name = "nothing found", .key = GUID, .same_uids = TRUE,
	  .known = { KNOWN(1, "a", "h") } },
	{ .name = "nothing at all", .key = GUID },
};

static unsigned int
match(enum match_key key, const ARRAY_TYPE(pop3_message) *known,
      ARRAY_TYPE(pop3_found_message) *found, bool same_uids)
{
	if (key == HASH)
		return pop3_uidl_match_hashes(known, found, same_uids);
	pop3_uidl_match_guids(known, found, same_uids);
	return 0;
}

static int known_idx(const ARRAY_TYPE(pop3_message) *known,
		     const struct pop3_message *message)
{
	return message == NULL ? NO_MATCH : message - array_front(known);
}

static void test_match_one(const struct match_test *test, unsigned int i)
{
	ARRAY_TYPE(pop3_message) known;
	ARRAY_TYPE(pop3_found_message) found;
	const struct pop3_found_message *message;
	unsigned int n;

	t_array_init(&known, MAX_MESSAGES);
	t_array_init(&found, MAX_MESSAGES);
	for (n = 0; test->known[n].guid != NULL; n++)
		array_push_back(&known, &test->known[n]);
	for (n = 0; test->found[n].guid != NULL; n++) {
		struct pop3_found_message *add = array_append_space(&found);

		add->uid = test->found[n].uid;
		add->guid = test->found[n].guid;
		add->hash = test->found[n].hash;
		if (test->found[n].before != NO_MATCH)
			add->known = array_idx(&known, test->found[n].before);
	}
	test_assert_idx(match(test->key, &known, &found, test->same_uids) ==
			test->left, i);
	n = 0;
	array_foreach(&found, message) {
		test_assert_idx(known_idx(&known, message->known) ==
				test->found[n].after, i);
		n++;
	}
}

static void test_match_table(void)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(match_tests); i++) {
		test_begin(t_strdup_printf("uidl match: %s",
					   match_tests[i].name));
		T_BEGIN {
			test_match_one(&match_tests[i], i);
		} T_END;
		test_end();
	}
}

/* The rules once more, in the plainest way. */

static const char *known_key(enum match_key key, const struct pop3_message *m)
{
	return key == HASH ? m->hash : m->guid;
}

static const char *
found_key(enum match_key key, const struct pop3_found_message *m)
{
	return key == HASH ? m->hash : m->guid;
}

static bool naive_is_taken(const struct pop3_message *message,
			   const ARRAY_TYPE(pop3_found_message) *found)
{
	const struct pop3_found_message *other;

	array_foreach(found, other) {
		if (other->known == message)
			return TRUE;
	}
	return FALSE;
}

static unsigned int
naive_count_known(enum match_key key, const char *value,
		  const ARRAY_TYPE(pop3_message) *known,
		  const ARRAY_TYPE(pop3_found_message) *found)
{
	const struct pop3_message *message;
	unsigned int count = 0;

	array_foreach(known, message) {
		if (strcmp(known_key(key, message), value) == 0 &&
		    !naive_is_taken(message, found))
			count++;
	}
	return count;
}

static unsigned int
naive_count_found(enum match_key key, const char *value,
		  const ARRAY_TYPE(pop3_found_message) *found)
{
	const struct pop3_found_message *message;
	unsigned int count = 0;

	array_foreach(found, message) {
		if (strcmp(found_key(key, message), value) == 0 &&
		    message->known == NULL)
			count++;
	}
	return count;
}

/* Whether messages with this key may be matched at all. */
static bool naive_may_match(enum match_key key, const char *value,
			    const ARRAY_TYPE(pop3_message) *known,
			    const ARRAY_TYPE(pop3_found_message) *found)
{
	if (*value == '\0')
		return FALSE;
	return key == GUID || naive_count_known(key, value, known, found) ==
		naive_count_found(key, value, found);
}

static void
naive_take(enum match_key key, const ARRAY_TYPE(pop3_message) *known,
	   ARRAY_TYPE(pop3_found_message) *found, bool same_uid)
{
	struct pop3_found_message *message;
	const struct pop3_message *candidate;

	array_foreach_modifiable(found, message) {
		const char *value = found_key(key, message);

		if (message->known != NULL ||
		    !naive_may_match(key, value, known, found))
			continue;
		array_foreach(known, candidate) {
			if (strcmp(known_key(key, candidate), value) == 0 &&
			    (!same_uid || candidate->uid == message->uid) &&
			    !naive_is_taken(candidate, found)) {
				message->known = candidate;
				break;
			}
		}
	}
}

static unsigned int
naive_match(enum match_key key, const ARRAY_TYPE(pop3_message) *known,
	    ARRAY_TYPE(pop3_found_message) *found, bool same_uids)
{
	const struct pop3_found_message *message;
	unsigned int left = 0;

	if (same_uids)
		naive_take(key, known, found, TRUE);
	naive_take(key, known, found, FALSE);
	array_foreach(found, message) {
		const char *value = found_key(key, message);

		if (message->known == NULL && *value != '\0' &&
		    naive_count_known(key, value, known, found) > 0)
			left++;
	}
	return key == HASH ? left : 0;
}

/* Cheap and the same everywhere. */
static unsigned int random_below(unsigned int limit)
{
	static uint32_t state = 2463534242U;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % limit;
}

/* Another one at each call until all are used up. */
static uint32_t random_uid(bool *used)
{
	unsigned int i = random_below(MAX_MESSAGES);

	while (used[i])
		i = (i + 1) % MAX_MESSAGES;
	used[i] = TRUE;
	return i + 1;
}

static void random_known(ARRAY_TYPE(pop3_message) *known,
			 const char *const *keys, unsigned int keys_count)
{
	bool used[MAX_MESSAGES] = { FALSE };
	unsigned int n;

	for (n = random_below(MAX_MESSAGES); n > 0; n--) {
		struct pop3_message *message = array_append_space(known);

		message->uid = random_below(4) == 0 ? 0 : random_uid(used);
		message->guid = keys[random_below(keys_count)];
		message->hash = keys[random_below(keys_count)];
		message->uidl = "u";
	}
}

static void random_found(ARRAY_TYPE(pop3_found_message) *found,
			 const ARRAY_TYPE(pop3_message) *known,
			 const char *const *keys, unsigned int keys_count)
{
	bool used[MAX_MESSAGES] = { FALSE };
	unsigned int n;

	for (n = random_below(MAX_MESSAGES); n > 0; n--) {
		struct pop3_found_message *message = array_append_space(found);

		message->uid = random_uid(used);
		message->guid = keys[random_below(keys_count)];
		message->hash = keys[random_below(keys_count)];
		if (random_below(6) == 0 && array_count(known) > 0) {
			const struct pop3_message *other = array_idx(known,
				random_below(array_count(known)));

			if (!naive_is_taken(other, found))
				message->known = other;
		}
	}
}

static void test_match_round(unsigned int round)
{
	static const char *const keys[] = { "", "a", "b", "c", "d", "e", "f" };
	/* with few keys there are many copies */
	unsigned int keys_count = 2 + random_below(N_ELEMENTS(keys) - 1);
	ARRAY_TYPE(pop3_message) known;
	ARRAY_TYPE(pop3_found_message) found, expected;
	const struct pop3_found_message *message, *got;
	enum match_key key = random_below(2) == 0 ? GUID : HASH;
	bool same_uids = random_below(2) == 0;
	unsigned int i, left;

	t_array_init(&known, MAX_MESSAGES);
	t_array_init(&found, MAX_MESSAGES);
	t_array_init(&expected, MAX_MESSAGES);
	random_known(&known, keys, keys_count);
	random_found(&found, &known, keys, keys_count);
	array_append_array(&expected, &found);

	left = naive_match(key, &known, &expected, same_uids);
	test_assert_idx(match(key, &known, &found, same_uids) == left, round);
	array_foreach(&expected, message) {
		i = array_foreach_idx(&expected, message);
		got = array_idx(&found, i);
		test_assert_idx(got->known == message->known, round);
	}
}

static void test_match_property(void)
{
	unsigned int round;

	test_begin("uidl match: like the plain rules");
	for (round = 0; round < 4000; round++) T_BEGIN {
		test_match_round(round);
	} T_END;
	test_end();
}

#define MANY 100000

/* All copies of one message: what takes time by the square of their number
   would take minutes here. */
static void test_match_many(void)
{
	ARRAY_TYPE(pop3_message) known;
	ARRAY_TYPE(pop3_found_message) found;
	struct pop3_found_message *message;
	unsigned int i, wrong = 0;

	test_begin("uidl match: many copies");
	i_array_init(&known, MANY);
	i_array_init(&found, MANY);
	for (i = 0; i < MANY; i++) {
		struct pop3_message *k = array_append_space(&known);
		struct pop3_found_message *f = array_append_space(&found);

		k->uid = i + 1;
		k->guid = k->hash = "same";
		f->uid = MANY - i;
		f->guid = f->hash = "same";
	}
	pop3_uidl_match_guids(&known, &found, TRUE);
	array_foreach_modifiable(&found, message) {
		if (message->known == NULL ||
		    message->known->uid != message->uid)
			wrong++;
		message->known = NULL;
	}
	test_assert(wrong == 0);

	test_assert(pop3_uidl_match_hashes(&known, &found, FALSE) == 0);
	i = 0;
	array_foreach_modifiable(&found, message) {
		if (message->known != array_idx(&known, i++))
			wrong++;
	}
	test_assert(wrong == 0);
	array_free(&found);
	array_free(&known);
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_match_table,
		test_match_property,
		test_match_many,
		NULL
	};
	return test_run(test_functions);
}
