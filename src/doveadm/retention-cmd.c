/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-store.h"
#include "epoch.h"
#include "journal.h"
#include "store.h"
#include "exempt.h"
#include "hidden.h"
#include "run.h"
#include "maildrop-cmd.h"
#include "retention-cmd.h"

static int
read_bounds(struct policy_store *store, struct pop3_retention_bounds *bounds_r,
	    const char **error_r)
{
	const struct policy_epoch *epoch;
	struct policy_epoch brief;
	struct policy_state *state;
	int ret;

	ret = policy_store_read_brief(store, pool_datastack_create(), &brief,
				      error_r);
	if (ret < 0)
		return -1;
	if (ret > 0 && retention_is_pop3_user(&brief)) {
		*bounds_r = brief.retention;
		return 1;
	}
	if (policy_store_read(store, &state, error_r) != POLICY_STORE_OK)
		return -1;
	epoch = policy_state_epoch(state);
	i_zero(bounds_r);
	if (epoch == NULL) {
		/* the state may be lost: then the mailbox has to be opened to
		   say so */
		ret = policy_journal_exists(store, 0, error_r);
	} else {
		*bounds_r = epoch->retention;
		ret = retention_is_pop3_user(epoch) ? 1 : 0;
	}
	policy_state_deinit(&state);
	return ret;
}

int retention_cmd_read_bounds(struct mail_user *user,
			      const struct pop3_policy_settings *set,
			      struct pop3_retention_bounds *bounds_r,
			      const char **error_r)
{
	struct policy_store *store;
	int ret;

	/* nothing is written, so there is nothing to sync */
	if (pop3_policy_store_open(set, user, FALSE, user->event, &store,
				   error_r) < 0)
		return -1;
	ret = read_bounds(store, bounds_r, error_r);
	policy_store_deinit(&store);
	return ret;
}

int retention_cmd_check(struct maildrop_cmd *cmd, const char **error_r)
{
	const char *reason;

	if (retention_exempt_check(cmd->set->retention.exempt, &reason) < 0) {
		*error_r = t_strdup_printf("pop3_policy_exempt: %s", reason);
		return -1;
	}
	if (retention_view_check(cmd->set->view, &reason) < 0) {
		*error_r = t_strdup_printf("pop3_policy_view: %s", reason);
		return -1;
	}
	switch (epoch_check(&cmd->drop, policy_state_epoch(cmd->state),
			    cmd->store, &reason)) {
	case EPOCH_STEADY:
		return 1;
	case EPOCH_FIRST:
		*error_r = "nothing is recorded of this user's mail yet";
		return 0;
	case EPOCH_BROKEN:
		*error_r = maildrop_cmd_recover_first(cmd, reason);
		return 0;
	case EPOCH_FAILED:
		*error_r = reason;
		return -1;
	}
	i_unreached();
}
