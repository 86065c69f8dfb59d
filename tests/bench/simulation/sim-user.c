/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"
#include "journal.h"
#include "quota.h"
#include "store.h"
#include "sim-user.h"

#define UIDVALIDITY 1700000000
#define UIDL_FORMAT "%08Xu%08Xv"
/* What a reply has beside the message. */
#define REPLY_OVERHEAD 24

static struct policy_store *open_store(const struct sim_user *user)
{
	return policy_store_init(user->path, user->fsync, NULL);
}

/* error points to what is set if there is one. */
static void check(enum policy_store_result result, const char *const *error)
{
	if (result != POLICY_STORE_OK)
		i_fatal("%s", *error);
}

/* As those of a maildir; the fingerprint is as long as a real one. */
static void
describe(struct pop3_message *message, uint32_t uid, uint32_t size, time_t now)
{
	i_zero(message);
	message->uid = uid;
	message->size = size;
	message->guid = t_strdup_printf("%"PRIdTIME_T".M%uP%u.mx1.example.org",
					now, uid * 7919 % 1000000, uid + 1000);
	message->hash = t_strdup_printf("%08x%06xAbCdEfGh", uid * 2654435761U,
					size & 0xffffff);
	message->uidl = t_strdup_printf("%08x%08x", uid, UIDVALIDITY);
	message->downloaded = now;
}

static void set_anchor(struct policy_epoch *epoch, unsigned int idx,
		       const struct pop3_message *message)
{
	struct policy_anchor *anchor = &epoch->anchors[idx];

	anchor->uid = message->uid;
	anchor->guid = message->guid;
	anchor->hash = "";
	anchor->uidl = message->uidl;
	epoch->anchors_count = idx + 1;
}

/* The epoch after these messages have come to it, the last ones of it. */
static void
add_messages(struct policy_epoch *epoch,
	     const ARRAY_TYPE(pop3_message) *messages, time_t now)
{
	unsigned int i, count = array_count(messages);
	const struct policy_told told = {
		.uidvalidity = UIDVALIDITY,
		.below = epoch->uidnext + count,
	};

	seq_range_array_add_range(&epoch->recorded, 1,
				  epoch->uidnext + count - 1);
	seq_range_array_add_range(&epoch->downloaded, 1,
				  epoch->uidnext + count - 1);
	epoch->uidnext += count;
	epoch->live += count;
	epoch->journal_lines += count;
	t_array_init(&epoch->told, 1);
	array_push_back(&epoch->told, &told);
	for (i = 0; i < I_MIN(count, POLICY_EPOCH_MAX_ANCHORS); i++)
		set_anchor(epoch, i, array_idx(messages, count - 1 - i));
	pop3_retention_bounds_add_download(&epoch->retention, now);
}

static void new_epoch(struct policy_epoch *epoch, time_t now)
{
	i_zero(epoch);
	epoch->number = now;
	epoch->uidvalidity = UIDVALIDITY;
	epoch->uidnext = 1;
	epoch->uidl_format = UIDL_FORMAT;
	epoch->journal_generation = 1;
	t_array_init(&epoch->recorded, 1);
	t_array_init(&epoch->downloaded, 1);
	t_array_init(&epoch->stored, 1);
	t_array_init(&epoch->devices, 1);
}

void sim_user_make(const struct sim_user *user, uint32_t held, time_t now)
{
	struct policy_store *store = open_store(user);
	ARRAY_TYPE(pop3_message) messages;
	struct pop3_message message;
	struct policy_state *state;
	struct policy_epoch epoch;
	const char *error;
	uint32_t uid;

	t_array_init(&messages, held);
	for (uid = 1; uid <= held; uid++) {
		describe(&message, uid, 2000 + uid, now - (held - uid) * 3600);
		array_push_back(&messages, &message);
	}
	new_epoch(&epoch, now);
	add_messages(&epoch, &messages, now);
	check(policy_store_begin(store, &state, &error), &error);
	check(policy_journal_replace(store, epoch.number,
				     epoch.journal_generation, &messages,
				     &error), &error);
	policy_state_set_epoch(state, &epoch);
	(void)pop3_quota_roll(policy_state_quota(state), now);
	check(policy_store_commit(store, state, &error), &error);
	policy_state_deinit(&state);
	policy_store_deinit(&store);
}

static void
read_brief(struct policy_store *store, pool_t pool, struct sim_counts *counts)
{
	struct policy_epoch epoch;
	const char *error;
	int ret;

	ret = policy_store_read_brief(store, pool, &epoch, &error);
	if (ret < 0)
		i_fatal("%s", error);
	if (ret == 0)
		i_fatal("a poll has to read the whole state");
	counts->read++;
	counts->read_brief++;
}

void sim_user_poll(const struct sim_user *user, struct sim_counts *counts)
{
	struct policy_store *store = open_store(user);
	pool_t pool = pool_alloconly_create("sim poll", 1024);

	read_brief(store, pool, counts);
	counts->sessions++;
	pool_unref(&pool);
	policy_store_deinit(&store);
}

static struct policy_state *
begin(struct policy_store *store, struct sim_counts *counts)
{
	struct policy_state *state;
	const char *error;

	check(policy_store_begin(store, &state, &error), &error);
	counts->read++;
	return state;
}

static void
commit(struct policy_store *store, struct policy_state *state,
       struct sim_counts *counts)
{
	const char *error;

	check(policy_store_commit(store, state, &error), &error);
	counts->written++;
	policy_state_deinit(&state);
}

/* Take a lease for one message, in place of the one that is there. */
static bool
take_lease(struct policy_store *store, struct pop3_quota_lease *lease,
	   const struct pop3_quota_limits *limits, time_t now, uint32_t size,
	   struct sim_counts *counts)
{
	const struct pop3_quota_amount need = { .n = { size, 1 } };
	const struct pop3_quota_amount reserve = { .n = { size * 2, 1 } };
	struct policy_state *state = begin(store, counts);
	struct pop3_quota_counters *counters = policy_state_quota(state);
	struct pop3_quota_denial denial;

	(void)pop3_quota_roll(counters, now);
	pop3_quota_lease_return(lease, counters);
	if (!pop3_quota_admits(limits, counters, now, &need, &denial)) {
		commit(store, state, counts);
		return FALSE;
	}
	pop3_quota_lease_take(lease, limits, counters, now, &reserve);
	commit(store, state, counts);
	return TRUE;
}

static bool
download(struct policy_store *store, struct pop3_quota_lease *lease,
	 const struct pop3_quota_limits *limits, time_t now, uint32_t size,
	 struct sim_counts *counts)
{
	const struct pop3_quota_amount need = { .n = { size, 1 } };
	const struct pop3_quota_amount reserve = { .n = { size * 2, 1 } };

	if (!pop3_quota_lease_covers(lease, now, &need, &reserve) &&
	    !take_lease(store, lease, limits, now, size, counts)) {
		counts->refused++;
		return FALSE;
	}
	lease->spent.n[POP3_QUOTA_BYTES] += size + REPLY_OVERHEAD;
	lease->spent.n[POP3_QUOTA_MESSAGES]++;
	counts->messages++;
	return TRUE;
}

static void
return_lease(struct policy_store *store, struct pop3_quota_lease *lease,
	     time_t now, struct sim_counts *counts)
{
	struct policy_state *state;

	if (lease->expires == 0)
		return;
	state = begin(store, counts);
	(void)pop3_quota_roll(policy_state_quota(state), now);
	pop3_quota_lease_return(lease, policy_state_quota(state));
	commit(store, state, counts);
}

/* Write down what the client knows now. It has seen the refused ones, too. */
static void
take_in(struct policy_store *store, const uint32_t *sizes,
	unsigned int sizes_count, time_t now, struct sim_counts *counts)
{
	struct policy_state *state = begin(store, counts);
	ARRAY_TYPE(pop3_message) messages;
	struct pop3_message message;
	struct policy_epoch epoch;
	const char *error;
	pool_t pool = pool_alloconly_create("sim take in", 4096);
	unsigned int i;

	policy_epoch_copy(pool, policy_state_epoch(state), &epoch);
	t_array_init(&messages, sizes_count);
	for (i = 0; i < sizes_count; i++) {
		describe(&message, epoch.uidnext + i, sizes[i], now);
		array_push_back(&messages, &message);
	}
	add_messages(&epoch, &messages, now);
	if (policy_journal_exists(store, epoch.journal_generation,
				  &error) <= 0 ||
	    policy_journal_is_torn(store, epoch.journal_generation,
				   &error) != 0)
		i_fatal("the journal is not whole");
	check(policy_journal_append(store, epoch.journal_generation, &messages,
				    &error), &error);
	policy_state_set_epoch(state, &epoch);
	commit(store, state, counts);
	pool_unref(&pool);
}

void sim_user_fetch(const struct sim_user *user, const uint32_t *sizes,
		    unsigned int sizes_count,
		    const struct pop3_quota_limits *limits, time_t now,
		    struct sim_counts *counts)
{
	struct policy_store *store = open_store(user);
	struct pop3_quota_lease lease;
	struct policy_state *state;
	const char *error;
	pool_t pool = pool_alloconly_create("sim fetch", 1024);
	unsigned int i;

	i_zero(&lease);
	read_brief(store, pool, counts);
	for (i = 0; i < sizes_count; i++) {
		if (!download(store, &lease, limits, now, sizes[i], counts))
			break;
	}
	return_lease(store, &lease, now, counts);
	/* the rest of the state, as only the brief of it is known */
	check(policy_store_read(store, &state, &error), &error);
	counts->read++;
	policy_state_deinit(&state);
	take_in(store, sizes, sizes_count, now, counts);
	counts->sessions++;
	pool_unref(&pool);
	policy_store_deinit(&store);
}
