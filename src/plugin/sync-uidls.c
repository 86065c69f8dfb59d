/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "mail-storage-private.h"
#include "compat-mail-user.h"
#include "compat-uidl-format.h"
#include "pop3-policy-settings.h"
#include "pop3-policy-store.h"
#include "uidl.h"
#include "epoch.h"
#include "store.h"
#include "epoch-check.h"
#include "maildrop.h"
#include "recovery.h"
#include "stored-uidls.h"
#include "sync-uidls.h"

enum sync_uidls_status {
	/* nobody has asked for one */
	SYNC_UIDLS_NEW,
	/* messages that are looked at meanwhile tell Dovecot's own */
	SYNC_UIDLS_OPENING,
	/* they are known */
	SYNC_UIDLS_KNOWN,
	/* those of the storage are taken */
	SYNC_UIDLS_IGNORED,
	SYNC_UIDLS_FAILED
};

struct sync_uidls {
	pool_t pool;
	struct event *event;
	struct policy_store *store;
	struct policy_state *state;
	struct maildrop drop;
	enum sync_uidls_status status;

	/* in a steady epoch */
	struct stored_uidls *stored;
	/* after a recovery in memory: those that are not Dovecot's own */
	HASH_TABLE(void *, const char *) recovered;
};

static int
open_state(struct sync_uidls *uidls, const struct pop3_policy_settings *set,
	   struct mail_user *user, const char **error_r)
{
	if (pop3_policy_store_open(set, user,
				   compat_mail_user_wants_fsync(user),
				   uidls->event, &uidls->store, error_r) < 0)
		return -1;
	return policy_store_read(uidls->store, &uidls->state, error_r) ==
		POLICY_STORE_OK ? 0 : -1;
}

static int
recover(struct sync_uidls *uidls, const struct policy_epoch *epoch,
	const char **error_r)
{
	ARRAY_TYPE(pop3_message) messages;
	const struct pop3_message *message;
	struct recovery_counts counts;
	struct policy_epoch recovered;

	if (maildrop_recovery_preview(&uidls->drop, uidls->store, epoch,
				      uidls->pool, &recovered, &messages,
				      &counts, error_r) < 0)
		return -1;
	hash_table_create_direct(&uidls->recovered, default_pool,
				 array_count(&messages));
	array_foreach(&messages, message) {
		if (message->uid != 0 &&
		    seq_range_exists(&recovered.stored, message->uid)) {
			hash_table_update(uidls->recovered,
					  POINTER_CAST(message->uid),
					  message->uidl);
		}
	}
	return 0;
}

static int prepare_steady(struct sync_uidls *uidls,
			  const struct policy_epoch *epoch, const char **error_r)
{
	int ret;

	uidls->stored = stored_uidls_init(&uidls->drop, uidls->store, epoch);
	ret = stored_uidls_prepare(uidls->stored, error_r);
	return ret > 0 ? 0 : -1;
}

static int
prepare(struct sync_uidls *uidls, const char **error_r)
{
	const struct policy_epoch *epoch = policy_state_epoch(uidls->state);

	switch (epoch_check(&uidls->drop, epoch, uidls->store, error_r)) {
	case EPOCH_FIRST:
		return 0;
	case EPOCH_STEADY:
		return prepare_steady(uidls, epoch, error_r);
	case EPOCH_BROKEN:
		return recover(uidls, epoch, error_r);
	case EPOCH_FAILED:
		break;
	}
	return -1;
}

static int
open_maildrop(struct sync_uidls *uidls, struct mailbox *box,
	      const char **error_r)
{
	const struct policy_epoch *epoch = policy_state_epoch(uidls->state);
	struct mail_user *user = box->storage->user;
	const struct uidl_rules rules = {
		.format = p_strdup(uidls->pool,
				   compat_mail_user_uidl_format(user)),
		/* a setting of the pop3 process, that only it can read */
		.reuse_xuidl = epoch != NULL && epoch->reuse_xuidl,
	};

	return maildrop_init(&uidls->drop, box, &rules, uidls->event, error_r);
}

static int
open_all(struct sync_uidls *uidls, const struct pop3_policy_settings *set,
	 struct mailbox *box, const char **error_r)
{
	if (open_state(uidls, set, box->storage->user, error_r) < 0 ||
	    open_maildrop(uidls, box, error_r) < 0)
		return -1;
	return prepare(uidls, error_r);
}

static enum sync_uidls_status
open_uidls(struct sync_uidls *uidls, struct mailbox *box)
{
	const struct pop3_policy_settings *set;
	enum sync_uidls_status status = SYNC_UIDLS_KNOWN;
	const char *error;

	if (pop3_policy_settings_get(box->storage->user, &set, &error) < 0) {
		e_error(uidls->event, "%s", error);
		return SYNC_UIDLS_FAILED;
	}
	if (open_all(uidls, set, box, &error) < 0) {
		e_error(uidls->event, "UIDLs cannot be known: %s", error);
		status = set->ignore_errors ? SYNC_UIDLS_IGNORED :
			SYNC_UIDLS_FAILED;
	}
	pop3_policy_settings_free(&set);
	return status;
}

struct sync_uidls *sync_uidls_init(struct mailbox *box)
{
	struct sync_uidls *uidls;
	pool_t pool;

	pool = pool_alloconly_create("pop3_policy sync", 1024);
	uidls = p_new(pool, struct sync_uidls, 1);
	uidls->pool = pool;
	uidls->event = event_create(box->storage->user->event);
	event_set_append_log_prefix(uidls->event, "pop3_policy: ");
	return uidls;
}

void sync_uidls_deinit(struct sync_uidls **_uidls)
{
	struct sync_uidls *uidls = *_uidls;
	pool_t pool;

	if (uidls == NULL)
		return;
	*_uidls = NULL;
	hash_table_destroy(&uidls->recovered);
	stored_uidls_deinit(&uidls->stored);
	policy_state_deinit(&uidls->state);
	policy_store_deinit(&uidls->store);
	event_unref(&uidls->event);
	pool = uidls->pool;
	pool_unref(&pool);
}

static int
get_stored(struct sync_uidls *uidls, struct mail *mail, const char **uidl_r,
	   const char **error_r)
{
	if (uidls->stored != NULL) {
		return stored_uidls_lookup(uidls->stored, mail, uidl_r,
					   error_r);
	}
	if (!hash_table_is_created(uidls->recovered))
		return 0;
	*uidl_r = hash_table_lookup(uidls->recovered, POINTER_CAST(mail->uid));
	return *uidl_r == NULL ? 0 : 1;
}

/* Returns 1, 0, or -1 and an error. */
static int
get_known(struct sync_uidls *uidls, struct mail *mail, const char **uidl_r,
	  const char **error_r)
{
	const char *error;
	int ret;

	ret = get_stored(uidls, mail, uidl_r, error_r);
	if (ret != 0)
		return ret;
	/* Dovecot's own is an accident of this mailbox: the other side must
	   store it */
	if (maildrop_own_uidl(&uidls->drop, mail, uidl_r) < 0) {
		*error_r = maildrop_mail_error(mail);
		return -1;
	}
	return pop3_uidl_is_valid(*uidl_r, &error) ? 1 : 0;
}

int sync_uidls_get(struct sync_uidls *uidls, struct mail *mail,
		   const char **uidl_r)
{
	const char *error;
	int ret = -1;

	if (uidls->status == SYNC_UIDLS_NEW) {
		uidls->status = SYNC_UIDLS_OPENING;
		uidls->status = open_uidls(uidls, mail->box);
	}
	if (uidls->status == SYNC_UIDLS_OPENING ||
	    uidls->status == SYNC_UIDLS_IGNORED || uidls->drop.own_uidls_only)
		return 0;
	if (uidls->status == SYNC_UIDLS_KNOWN) {
		ret = get_known(uidls, mail, uidl_r, &error);
		if (ret < 0 && !mail->expunged)
			e_error(uidls->event, "a UIDL was lost: %s", error);
	}
	if (ret < 0 && !mail->expunged) {
		mail_storage_set_error(mail->box->storage, MAIL_ERROR_TEMP,
				       "POP3 UIDLs cannot be known");
	}
	return ret;
}
