/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-storage-private.h"
#include "mail-storage-settings.h"
#include "pop3-symbols.h"
#include "pop3-policy-settings.h"
#include "epoch.h"
#include "policy-event.h"
#include "store.h"
#include "maildrop.h"
#include "duplicates.h"
#include "epoch-check.h"
#include "look-again.h"
#include "prepare.h"
#include "stored-uidls.h"
#include "take-in.h"
#include "fetch.h"
#include "session.h"
#include "session-uidls.h"

#include <time.h>

#define NOT_AVAILABLE_REPLY \
	"Unique ids of the messages are not available, try again later."
/* How often the state may change while a session begins. */
#define MAX_TRIES 5
/* Messages that were there before the plugin are taken in by so many a session,
   so that none takes much longer than others. */
#define MAX_OTHERS 2000

struct session_uidls {
	struct client *client;
	const struct pop3_policy_settings *set;
	struct policy_store *store;
	struct event *event;
	/* As it was before the maildrop was synced: the brief of the epoch, or
	   else the whole state. Both are NULL once they were used. */
	struct policy_epoch *brief;
	struct policy_state *state;

	/* once the maildrop is open: */
	struct maildrop drop;
	/* by which the session was opened, see there */
	uint32_t checked_epoch;
	struct maildrop_uidls *uidls;
	struct fetched_uids seen;
	bool opening;
	/* of the epoch the brief is known only */
	bool uidls_are_brief;
	/* went on without policy */
	bool ignored;

	/* once it is finished: lines of messages below this UID are lost */
	uint32_t lost_below;
};

int session_uidls_init(struct client *client,
		       const struct pop3_policy_settings *set,
		       struct policy_store *store, struct event *event,
		       struct session_uidls **uidls_r, const char **error_r)
{
	struct policy_state *state = NULL;
	struct policy_epoch brief;
	struct session_uidls *uidls;
	int ret;

	ret = policy_store_read_brief(store, client->pool, &brief, error_r);
	if (ret == 0 && policy_store_read(store, &state, error_r) !=
	    POLICY_STORE_OK)
		ret = -1;
	if (ret < 0)
		return -1;
	uidls = i_new(struct session_uidls, 1);
	uidls->client = client;
	uidls->set = set;
	uidls->store = store;
	uidls->event = event;
	uidls->state = state;
	if (ret > 0) {
		uidls->brief = p_new(client->pool, struct policy_epoch, 1);
		*uidls->brief = brief;
	}
	fetched_uids_init(&uidls->seen);
	*uidls_r = uidls;
	return 0;
}

void session_uidls_deinit(struct session_uidls **_uidls)
{
	struct session_uidls *uidls = *_uidls;

	if (uidls == NULL)
		return;
	*_uidls = NULL;
	maildrop_uidls_free(&uidls->uidls);
	policy_state_deinit(&uidls->state);
	fetched_uids_deinit(&uidls->seen);
	i_free(uidls);
}

static int
init_drop(struct session_uidls *uidls, struct mailbox *box,
	  const char **error_r)
{
	const struct client *client = uidls->client;
	const struct uidl_rules rules = {
		.format = client->mail_set->pop3_uidl_format,
		.reuse_xuidl = client->set->pop3_reuse_xuidl,
		.rename_duplicates = strcmp(client->set->pop3_uidl_duplicates,
					    "rename") == 0,
	};

	if (maildrop_init(&uidls->drop, box, &rules, uidls->event, error_r) < 0)
		return -1;
	uidls->drop.checked_epoch = uidls->checked_epoch;
	return 0;
}

/* In the steady state the brief will do. */
static bool prepare_brief(struct session_uidls *uidls)
{
	const struct policy_epoch *brief = uidls->brief;
	const char *reason;

	uidls->brief = NULL;
	if (maildrop_known_are_gone(&uidls->drop, brief) ||
	    epoch_check(&uidls->drop, brief, uidls->store, &reason) !=
	    EPOCH_STEADY || maildrop_duplicates_are_due(&uidls->drop, brief))
		return FALSE;
	uidls->uidls = maildrop_uidls_init(&uidls->drop, uidls->store, brief);
	uidls->uidls_are_brief = TRUE;
	return TRUE;
}

static enum prepare_result
prepare(struct session_uidls *uidls, struct mailbox *box, const char **error_r)
{
	/* when the mailbox could not be listed, it is synced once more */
	maildrop_uidls_free(&uidls->uidls);
	uidls->uidls_are_brief = FALSE;
	if (uidls->brief == NULL && uidls->state == NULL)
		return PREPARE_RETRY;
	if (init_drop(uidls, box, error_r) < 0)
		return PREPARE_FAILED;
	if (uidls->brief != NULL)
		return prepare_brief(uidls) ? PREPARE_DONE : PREPARE_RETRY;
	return maildrop_prepare(&uidls->drop, uidls->store,
				policy_state_epoch(uidls->state),
				uidls->set->uidl_alarm_percent,
				&uidls->uidls, error_r);
}

/* The state is read before the mailbox is synced, so that it is never newer. */
static int
read_again(struct session_uidls *uidls, struct mailbox *box,
	   const char **error_r)
{
	policy_state_deinit(&uidls->state);
	if (policy_store_read(uidls->store, &uidls->state, error_r) !=
	    POLICY_STORE_OK)
		return -1;
	if (mailbox_sync(box, MAILBOX_SYNC_FLAG_FULL_READ) < 0) {
		*error_r = mailbox_get_last_internal_error(box, NULL);
		return -1;
	}
	return 0;
}

static enum prepare_result
try_prepare(struct session_uidls *uidls, struct mailbox *box,
	    const char **error_r)
{
	enum prepare_result result;
	unsigned int tries = 1;

	while ((result = prepare(uidls, box, error_r)) == PREPARE_RETRY) {
		if (tries++ == MAX_TRIES) {
			*error_r = "the state or the mailbox keeps changing";
			return PREPARE_FAILED;
		}
		if (read_again(uidls, box, error_r) < 0)
			return PREPARE_FAILED;
	}
	return result;
}

int session_uidls_open(struct session_uidls *uidls, struct mailbox *box,
		       uint32_t checked_epoch)
{
	enum prepare_result result;
	const char *error;

	uidls->checked_epoch = checked_epoch;
	if (uidls->opening || uidls->ignored)
		return 0;
	policy_store_set_fsync(uidls->store,
		uidls->client->mail_set->parsed_fsync_mode != FSYNC_MODE_NEVER);
	/* it may sync the mailbox itself */
	uidls->opening = TRUE;
	result = try_prepare(uidls, box, &error);
	uidls->opening = FALSE;
	policy_state_deinit(&uidls->state);
	if (result == PREPARE_DONE)
		return 0;
	if (result == PREPARE_FAILED && uidls->set->ignore_errors) {
		e_error(policy_event_state_failed(uidls->event,
						  POLICY_EVENT_UNAVAILABLE,
						  POLICY_EVENT_IGNORED),
			"UIDLs are those of Dovecot: %s", error);
		uidls->ignored = TRUE;
		return 0;
	}
	e_error(policy_event_state_failed(uidls->event,
					  result == PREPARE_ALARM ?
					  POLICY_EVENT_ALARM :
					  POLICY_EVENT_UNAVAILABLE,
					  POLICY_EVENT_REFUSED),
		"session is refused: %s", error);
	mail_storage_set_error(box->storage, MAIL_ERROR_TEMP,
			       NOT_AVAILABLE_REPLY);
	return -1;
}

bool session_uidls_exist(const struct session_uidls *uidls)
{
	return uidls->uidls != NULL && uidls->uidls->stored != NULL &&
		stored_uidls_exist(uidls->uidls->stored);
}

int session_uidls_get(struct session_uidls *uidls, struct mail *mail,
		      const char **uidl_r)
{
	const char *error;
	int ret;

	if (uidls->drop.own_uidls_only)
		return 0;
	ret = stored_uidls_lookup(uidls->uidls->stored, mail, uidl_r, &error);
	if (ret < 0 && !mail->expunged) {
		e_error(policy_event_state_failed(uidls->event,
						  POLICY_EVENT_UNAVAILABLE,
						  POLICY_EVENT_REFUSED),
			"session is ended, a UIDL was lost: %s", error);
		client_disconnect(uidls->client, "UIDL was lost");
	}
	return ret;
}

void session_uidls_add_seen(struct session_uidls *uidls, uint32_t uid)
{
	fetched_uids_add(&uidls->seen, uid);
}

/* Polls on dbox look into the index cache, where stock Dovecot does not, and
   who does that mends at the next sync what is old there: now, not in a
   poll. */
static void tidy_cache(struct session_uidls *uidls)
{
	if (uidls->client->trans == NULL)
		(void)mailbox_sync(uidls->drop.box, 0);
}

static void log_not_written(struct session_uidls *uidls, const char *error)
{
	e_error(policy_event_state_failed(uidls->event,
					  POLICY_EVENT_UNAVAILABLE,
					  POLICY_EVENT_CONTINUED),
		"UIDLs were not written down: %s", error);
}

static void
take_in(struct session_uidls *uidls, const struct session_news *news)
{
	struct taken_in taken;
	const char *error;

	uidls->lost_below = 0;
	switch (maildrop_take_in(&uidls->drop, uidls->store,
				 uidls->uidls->epoch, uidls->uidls->stored,
				 news, MAX_OTHERS, &taken, &error)) {
	case POLICY_STORE_OK:
		if (taken.added > 0) {
			e_debug(uidls->event, "recorded UIDLs of %u messages",
				taken.added);
		}
		if (taken.lacks_lost && uidls->uidls->epoch != NULL)
			uidls->lost_below = news->uidnext;
		break;
	case POLICY_STORE_UNWRITABLE:
		/* a later session does it */
		e_warning(policy_event_state_failed(uidls->event,
						    POLICY_EVENT_UNWRITABLE,
						    POLICY_EVENT_CONTINUED),
			  "UIDLs were not written down: %s", error);
		break;
	case POLICY_STORE_UNUSABLE:
		log_not_written(uidls, error);
		break;
	}
}

/* Put all of the epoch in the place of its brief. Returns FALSE if another one
   has begun meanwhile, or it cannot be read. */
static bool complete_uidls(struct session_uidls *uidls)
{
	uint32_t number = uidls->uidls->epoch->number;
	const struct policy_epoch *epoch;
	struct policy_state *state;
	const char *error;
	bool same;

	if (policy_store_read(uidls->store, &state, &error) !=
	    POLICY_STORE_OK) {
		log_not_written(uidls, error);
		return FALSE;
	}
	epoch = policy_state_epoch(state);
	same = epoch != NULL && epoch->number == number;
	if (same) {
		maildrop_uidls_free(&uidls->uidls);
		uidls->uidls = maildrop_uidls_init(&uidls->drop, uidls->store,
						   epoch);
	}
	policy_state_deinit(&state);
	return same;
}

void session_uidls_finish(struct session_uidls *uidls,
			  const ARRAY_TYPE(seq_range) *downloaded)
{
	struct session_news news = {
		.uidnext = uidls->drop.uidnext,
		.shown = uidls->drop.messages > 0,
		.downloaded = *downloaded,
		.downloaded_at = time(NULL),
		.device = uidls->set->device,
	};

	if (uidls->uidls == NULL ||
	    !maildrop_take_in_is_due(&uidls->drop, uidls->uidls->epoch, &news))
		return;
	news.seen = *fetched_uids_get(&uidls->seen);
	if (uidls->uidls_are_brief &&
	    (!complete_uidls(uidls) ||
	     !maildrop_take_in_is_due(&uidls->drop, uidls->uidls->epoch,
				      &news)))
		return;
	session_hang_up(uidls->client);
	take_in(uidls, &news);
	tidy_cache(uidls);
}

void session_uidls_finish_lost(struct session_uidls *uidls)
{
	struct session_news news = { .uidnext = uidls->lost_below };
	const char *reason;

	if (uidls->lost_below == 0 || !complete_uidls(uidls))
		return;
	/* retention may have synced the maildrop since it was checked */
	if (epoch_check(&uidls->drop, uidls->uidls->epoch, uidls->store,
			&reason) != EPOCH_STEADY)
		return;
	t_array_init(&news.seen, 1);
	t_array_init(&news.downloaded, 1);
	take_in(uidls, &news);
	tidy_cache(uidls);
}

uint32_t session_uidls_epoch(const struct session_uidls *uidls)
{
	return uidls->uidls == NULL || uidls->uidls->epoch == NULL ? 0 :
		uidls->uidls->epoch->number;
}

bool session_uidls_get_retention(const struct session_uidls *uidls,
				 struct pop3_retention_bounds *bounds_r)
{
	const struct maildrop_uidls *known = uidls->uidls;

	i_zero(bounds_r);
	if (known != NULL && known->epoch != NULL)
		*bounds_r = known->epoch->retention;
	return known != NULL &&
		(known->epoch != NULL || uidls->drop.messages > 0);
}

int session_uidls_sync_drop(struct session_uidls *uidls,
			    struct maildrop **drop_r, const char **error_r)
{
	struct mailbox *box = uidls->drop.box;

	if (uidls->uidls == NULL) {
		*error_r = "the session had no maildrop";
		return -1;
	}
	if (mailbox_sync(box, MAILBOX_SYNC_FLAG_FULL_READ) < 0) {
		*error_r = mailbox_get_last_internal_error(box, NULL);
		return -1;
	}
	uidls->checked_epoch = 0;
	if (init_drop(uidls, box, error_r) < 0)
		return -1;
	*drop_r = &uidls->drop;
	return 0;
}

/* Returns 0 and the epoch as it is written now, -1 if it cannot be read. */
static int
read_epoch(struct session_uidls *uidls, struct policy_epoch *brief_r,
	   struct policy_state **state_r, const struct policy_epoch **epoch_r)
{
	const char *error;
	int ret;

	*state_r = NULL;
	*epoch_r = NULL;
	ret = policy_store_read_brief(uidls->store, uidls->client->pool,
				      brief_r, &error);
	if (ret > 0)
		*epoch_r = brief_r;
	if (ret == 0) {
		if (policy_store_read(uidls->store, state_r, &error) !=
		    POLICY_STORE_OK)
			return -1;
		*epoch_r = policy_state_epoch(*state_r);
	}
	return ret < 0 ? -1 : 0;
}

uint32_t session_uidls_check_epoch(struct session_uidls *uidls)
{
	const struct policy_epoch *epoch;
	struct policy_epoch brief;
	struct policy_state *state;
	const char *error;
	uint32_t number = 0;

	uidls->checked_epoch = 0;
	if (uidls->uidls == NULL ||
	    read_epoch(uidls, &brief, &state, &epoch) < 0)
		return 0;
	if (epoch != NULL &&
	    init_drop(uidls, uidls->drop.box, &error) == 0 &&
	    uidls->drop.uidnext == epoch->uidnext &&
	    epoch_check(&uidls->drop, epoch, uidls->store, &error) ==
	    EPOCH_STEADY)
		number = epoch->number;
	policy_state_deinit(&state);
	return number;
}
