/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "epoch.h"
#include "store.h"
#include "maildrop.h"
#include "duplicates.h"
#include "epoch-check.h"
#include "look-again.h"
#include "recovery.h"
#include "stored-uidls.h"
#include "prepare.h"

static void
set_epoch(struct maildrop_uidls *uidls, struct maildrop *drop,
	  struct policy_store *store, const struct policy_epoch *epoch)
{
	stored_uidls_deinit(&uidls->stored);
	uidls->epoch = NULL;
	if (epoch == NULL)
		return;
	uidls->epoch = p_new(uidls->pool, struct policy_epoch, 1);
	policy_epoch_copy(uidls->pool, epoch, uidls->epoch);
	uidls->stored = stored_uidls_init(drop, store, uidls->epoch);
}

struct maildrop_uidls *
maildrop_uidls_init(struct maildrop *drop, struct policy_store *store,
		    const struct policy_epoch *epoch)
{
	struct maildrop_uidls *uidls;
	pool_t pool;

	pool = pool_alloconly_create("pop3_policy uidls", 1024);
	uidls = p_new(pool, struct maildrop_uidls, 1);
	uidls->pool = pool;
	set_epoch(uidls, drop, store, epoch);
	return uidls;
}

void maildrop_uidls_free(struct maildrop_uidls **_uidls)
{
	struct maildrop_uidls *uidls = *_uidls;
	pool_t pool;

	if (uidls == NULL)
		return;
	*_uidls = NULL;
	stored_uidls_deinit(&uidls->stored);
	pool = uidls->pool;
	pool_unref(&pool);
}

static enum prepare_result
take_result(struct maildrop_uidls *uidls, struct maildrop *drop,
	    struct policy_store *store, enum recovery_result result,
	    struct policy_state *state)
{
	switch (result) {
	case RECOVERY_DONE:
		break;
	case RECOVERY_RETRY:
		return PREPARE_RETRY;
	case RECOVERY_ALARM:
		return PREPARE_ALARM;
	case RECOVERY_FAILED:
		return PREPARE_FAILED;
	}
	if (state != NULL) {
		set_epoch(uidls, drop, store, policy_state_epoch(state));
		policy_state_deinit(&state);
	}
	return PREPARE_DONE;
}

static enum prepare_result
recover(struct maildrop_uidls *uidls, struct maildrop *drop,
	struct policy_store *store, const char *reason,
	unsigned int alarm_percent, const char **error_r)
{
	struct policy_state *state = NULL;
	enum recovery_result result;

	result = maildrop_recover(drop, store, uidls->epoch, reason,
				  alarm_percent, &state, error_r);
	if (result == RECOVERY_FAILED) {
		*error_r = t_strdup_printf("UIDLs cannot be recovered (%s): %s",
					   reason, *error_r);
	}
	return take_result(uidls, drop, store, result, state);
}

static enum prepare_result
check(struct maildrop_uidls *uidls, struct maildrop *drop,
      struct policy_store *store, unsigned int alarm_percent,
      const char **error_r)
{
	const char *reason;
	int ret;

	if (uidls->epoch != NULL &&
	    maildrop_known_are_gone(drop, uidls->epoch)) {
		ret = maildrop_look_again(drop, error_r);
		if (ret != 0)
			return ret < 0 ? PREPARE_FAILED : PREPARE_RETRY;
	}
	switch (epoch_check(drop, uidls->epoch, store, &reason)) {
	case EPOCH_STEADY:
	case EPOCH_FIRST:
		return PREPARE_DONE;
	case EPOCH_BROKEN:
		return recover(uidls, drop, store, reason, alarm_percent,
			       error_r);
	case EPOCH_FAILED:
		break;
	}
	*error_r = reason;
	return PREPARE_FAILED;
}

static enum prepare_result
prepare_stored(struct maildrop_uidls *uidls, struct maildrop *drop,
	       struct policy_store *store, unsigned int alarm_percent,
	       const char **error_r)
{
	const char *error;
	int ret;

	if (uidls->stored == NULL)
		return PREPARE_DONE;
	ret = stored_uidls_prepare(uidls->stored, &error);
	if (ret == 0) {
		return recover(uidls, drop, store, error, alarm_percent,
			       error_r);
	}
	if (ret < 0)
		*error_r = error;
	return ret > 0 ? PREPARE_DONE : PREPARE_FAILED;
}

static enum prepare_result
settle_duplicates(struct maildrop_uidls *uidls, struct maildrop *drop,
		  struct policy_store *store, const char **error_r)
{
	struct policy_state *state = NULL;
	enum recovery_result result;

	if (!maildrop_duplicates_are_due(drop, uidls->epoch))
		return PREPARE_DONE;
	result = maildrop_settle_duplicates(drop, store, uidls->epoch,
					    uidls->stored, &state, error_r);
	return take_result(uidls, drop, store, result, state);
}

enum prepare_result
maildrop_prepare(struct maildrop *drop, struct policy_store *store,
		 const struct policy_epoch *epoch, unsigned int alarm_percent,
		 struct maildrop_uidls **uidls_r, const char **error_r)
{
	struct maildrop_uidls *uidls = maildrop_uidls_init(drop, store, epoch);
	enum prepare_result result;

	result = check(uidls, drop, store, alarm_percent, error_r);
	if (result == PREPARE_DONE) {
		result = prepare_stored(uidls, drop, store, alarm_percent,
					error_r);
	}
	if (result == PREPARE_DONE)
		result = settle_duplicates(uidls, drop, store, error_r);
	if (result == PREPARE_DONE)
		*uidls_r = uidls;
	else
		maildrop_uidls_free(&uidls);
	return result;
}
