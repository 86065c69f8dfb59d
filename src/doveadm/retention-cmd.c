/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "pop3-policy-settings.h"
#include "epoch.h"
#include "journal.h"
#include "store.h"
#include "exempt.h"
#include "run.h"
#include "maildrop-cmd.h"
#include "retention-cmd.h"

int retention_cmd_uses_pop3(struct mail_user *user,
			    const struct pop3_policy_settings *set,
			    const char **error_r)
{
	const struct policy_epoch *epoch;
	struct policy_store *store;
	struct policy_state *state;
	const char *dir;
	int ret = -1;

	if (pop3_policy_settings_state_dir(set, user, &dir, error_r) < 0)
		return -1;
	/* nothing is written that would have to be synced */
	store = policy_store_init(dir, FALSE, user->event);
	if (policy_store_read(store, &state, error_r) == POLICY_STORE_OK) {
		epoch = policy_state_epoch(state);
		if (epoch == NULL) {
			/* the state may be lost */
			ret = policy_journal_exists(store, 0, error_r);
		} else {
			ret = retention_is_pop3_user(epoch) ? 1 : 0;
		}
		policy_state_deinit(&state);
	}
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
