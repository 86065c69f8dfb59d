/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "epoch.h"
#include "store.h"
#include "maildrop.h"
#include "epoch-check.h"
#include "collect.h"
#include "exempt.h"
#include "hidden.h"
#include "judge.h"

/* How often only those that a rule takes are asked about. Each round can bring as
   few as one more, if many of those that came first are exempt. */
#define ASK_TAKEN_ROUNDS 8

int retention_read_epoch(struct maildrop *drop, struct policy_store *store,
			 pool_t pool, struct policy_epoch *epoch_r,
			 const char **error_r)
{
	const struct policy_epoch *epoch;
	struct policy_state *state;
	int ret = 0;

	if (policy_store_read(store, &state, error_r) != POLICY_STORE_OK)
		return -1;
	epoch = policy_state_epoch(state);
	*error_r = "nothing is recorded of this user's mail yet";
	if (epoch != NULL) {
		switch (epoch_check(drop, epoch, store, error_r)) {
		case EPOCH_STEADY:
			policy_epoch_copy(pool, epoch, epoch_r);
			ret = 1;
			break;
		case EPOCH_FIRST:
		case EPOCH_BROKEN:
			break;
		case EPOCH_FAILED:
			ret = -1;
			break;
		}
	}
	policy_state_deinit(&state);
	return ret;
}

static int
collect(struct maildrop *drop, struct policy_store *store,
	const struct policy_epoch *epoch, const struct retention_policy *policy,
	ARRAY_TYPE(pop3_retention_message) *messages, const char **error_r)
{
	bool with_delivery =
		policy->rules.keep_undownloaded != POP3_KEEP_FOREVER;

	return retention_collect(drop, store, epoch, policy->devices,
				 with_delivery, messages, error_r);
}

/* Those that a rule takes, or all, that were not asked about before. */
static void
find_to_ask(const ARRAY_TYPE(pop3_retention_message) *messages, bool all,
	    ARRAY_TYPE(seq_range) *asked, ARRAY_TYPE(seq_range) *to_ask)
{
	const struct pop3_retention_message *message;

	array_clear(to_ask);
	array_foreach(messages, message) {
		if ((all || message->rule != POP3_RETENTION_NONE) &&
		    !seq_range_array_add(asked, message->uid))
			seq_range_array_add(to_ask, message->uid);
	}
}

/* Returns 1 or more if some are marked, 0 if not, -1 and an error. */
static int
mark_staying(struct maildrop *drop, const struct retention_policy *policy,
	     const ARRAY_TYPE(seq_range) *uids,
	     ARRAY_TYPE(pop3_retention_message) *messages, const char **error_r)
{
	int exempt, hidden;

	exempt = retention_mark_exempt(drop, policy->exempt, uids, messages,
				       error_r);
	if (exempt < 0)
		return -1;
	hidden = retention_mark_hidden(drop, policy->view, uids, messages,
				       error_r);
	return hidden < 0 ? -1 : exempt + hidden;
}

int retention_judge(struct maildrop *drop, struct policy_store *store,
		    const struct policy_epoch *epoch,
		    const struct retention_policy *policy, time_t now,
		    ARRAY_TYPE(pop3_retention_message) *messages,
		    const char **error_r)
{
	ARRAY_TYPE(seq_range) asked, to_ask;
	unsigned int rounds = 0;
	int ret;

	ret = collect(drop, store, epoch, policy, messages, error_r);
	if (ret <= 0)
		return ret;
	i_array_init(&asked, 32);
	i_array_init(&to_ask, 32);
	do {
		/* if there are too many, others go for those that are exempt */
		pop3_retention_judge(&policy->rules, messages, now);
		find_to_ask(messages, rounds++ == ASK_TAKEN_ROUNDS, &asked,
			    &to_ask);
		ret = mark_staying(drop, policy, &to_ask, messages, error_r);
	} while (ret > 0);
	array_free(&to_ask);
	array_free(&asked);
	return ret < 0 ? -1 : 1;
}

static int
judge_all(struct maildrop *drop, struct policy_store *store,
	  const struct policy_epoch *epoch,
	  const struct retention_policy *policy, time_t now,
	  ARRAY_TYPE(pop3_retention_message) *messages, const char **error_r)
{
	const struct pop3_retention_message *message;
	ARRAY_TYPE(seq_range) all;
	int ret;

	if (collect(drop, store, epoch, policy, messages, error_r) <= 0)
		return -1;
	i_array_init(&all, 32);
	array_foreach(messages, message)
		seq_range_array_add(&all, message->uid);
	ret = mark_staying(drop, policy, &all, messages, error_r);
	array_free(&all);
	pop3_retention_judge(&policy->rules, messages, now);
	return ret < 0 ? -1 : 0;
}

int maildrop_retention_status(struct maildrop *drop, struct policy_store *store,
			      const struct retention_policy *policy, time_t now,
			      ARRAY_TYPE(pop3_retention_message) *messages,
			      const char **error_r)
{
	struct policy_epoch epoch;
	pool_t pool = pool_alloconly_create("retention", 2048);
	int ret;

	ret = retention_read_epoch(drop, store, pool, &epoch, error_r);
	if (ret > 0) {
		ret = judge_all(drop, store, &epoch, policy, now, messages,
				error_r);
	} else {
		ret = -1;
	}
	pool_unref(&pool);
	return ret;
}
