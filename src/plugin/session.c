/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "file-dotlock.h"
#include "ioloop.h"
#include "istream.h"
#include "ostream.h"
#include "module-context.h"
#include "mail-storage.h"
#include "mail-search.h"
#include "mail-search-build.h"
#include "master-service.h"
#include "pop3-symbols.h"
#include "pop3-policy-settings.h"
#include "store.h"
#include "capa-ostream.h"
#include "gather-ostream.h"
#include "fast-polls.h"
#include "output-wait.h"
#include "reply-ostream.h"
#include "session-capa.h"
#include "session-events.h"
#include "session-quota.h"
#include "session-retention.h"
#include "session-uidls.h"
#include "session-view.h"
#include "throttle-ostream.h"
#include "uidl-lines.h"
#include "session-private.h"

#include <sys/socket.h>

#define CLIENT_SESSION(client) \
	MODULE_CONTEXT_REQUIRE(client, pop3_policy_client_module)

struct pop3_policy_user {
	union mail_user_module_context module_ctx;
	struct pop3_policy_session *session;
};

static MODULE_CONTEXT_DEFINE_INIT(pop3_policy_client_module,
				  &pop3_module_register);
static MODULE_CONTEXT_DEFINE_INIT(pop3_policy_user_module,
				  &mail_user_module_register);

void pop3_policy_session_list(struct pop3_policy_session *session,
			      struct mail_search_args *args)
{
	/* once it is listed there is a transaction, until QUIT */
	if (session->view != NULL && session->client->trans == NULL &&
	    !session->client->quit_seen)
		session_view_apply(session->view, session->client, args);
}

bool pop3_policy_session_send_list(struct pop3_policy_session *session)
{
	if (session->fast == NULL || session->throttle != NULL ||
	    pop3_policy_session_has_uidls(session) ||
	    !uidl_lines_are_due(session->client, session->fast))
		return FALSE;
	uidl_lines_send(session->client, session->fast);
	return TRUE;
}

static bool session_messages_are_sent(const struct pop3_policy_session *session)
{
	const struct ostream *output = session->client->output;
	size_t unsent;

	if (output->closed || output->stream_errno != 0)
		return FALSE;
	unsent = o_stream_get_buffer_used_size(output) +
		gather_ostream_get_size(session->gather);
	return unsent <= output->offset - session->fetched_offset;
}

/* RFC 2449, section 6.6, lets clients send QUIT before they have read the replies
   to RETR and UIDL. The pop3 process tries only once to send what is left of these,
   after it has expunged what was deleted. */
static void session_send_rest(struct pop3_policy_session *session)
{
	const bool shared = master_service_get_client_limit(master_service) > 1;
	const unsigned int msecs = shared ? OUTPUT_WAIT_SHARED_MSECS :
		OUTPUT_WAIT_MSECS;
	const bool has_fetched = session->sent_bytes > 0;
	bool messages_are_sent;

	/* others are let wait for messages only */
	if (session->sent_rest || (shared && !has_fetched))
		return;
	session->sent_rest = TRUE;
	throttle_ostream_finish(session->throttle);
	messages_are_sent = !has_fetched || session_messages_are_sent(session);
	if (output_wait_until_sent(session->client, msecs) == 0 ||
	    messages_are_sent)
		return;
	session->unsent = TRUE;
	e_info(session->event, "the client was gone before all that it fetched "
	       "was sent: nothing is deleted, and nothing counts as downloaded");
}

/* The reply to QUIT tells of messages that were deleted, as does the log. */
static void
delete_nothing(struct client *client, struct mail_search_args *args)
{
	mail_search_build_add(args, SEARCH_ALL)->match_not = TRUE;
	client->deleted = FALSE;
	client->deleted_count = 0;
	client->deleted_size = 0;
}

void pop3_policy_session_search_begin(struct pop3_policy_session *session,
				      struct mailbox_transaction_context *t,
				      struct mail_search_args *args)
{
	struct client *client = session->client;

	capa_ostream_pause(session->capa);
	if (!client->quit_seen || t != client->trans)
		return;
	session_send_rest(session);
	if (session->unsent && client->deleted)
		delete_nothing(client, args);
}

void pop3_policy_session_search_end(struct pop3_policy_session *session)
{
	/* not if a message that is being sent needs a search */
	if (session->opened == NULL)
		capa_ostream_resume(session->capa);
}

static void session_log(struct pop3_policy_session *session, const char *left)
{
	const struct pop3_quota_amount *total =
		session_quota_total(session->quota);
	uint64_t messages = total->n[POP3_QUOTA_MESSAGES];
	unsigned int whole = seq_range_count(
		fetched_uids_get(&session->sent_whole));

	if (total->n[POP3_QUOTA_BYTES] == 0)
		return;
	e_info(session->event, "downloaded %"PRIu64" messages%s, %"PRIu64
	       " bytes; left: %s", messages, whole == messages ? "" :
	       t_strdup_printf(" (%u whole)", whole),
	       total->n[POP3_QUOTA_BYTES], left != NULL ? left : "unknown");
}

static void session_finish(struct pop3_policy_session *session)
{
	session->finished = TRUE;
	if (session->fetch.mail != NULL) {
		/* the line broke in the middle of a message */
		session_fetch_end(session);
	}
	if (session->quota != NULL)
		session_log(session, session_quota_finish(session->quota));
}

static void
session_open_fast_polls(struct pop3_policy_session *session,
			struct mailbox *box)
{
	const struct client *client = session->client;

	fast_polls_open(session->fast, box, client->set->pop3_save_uidl ||
			client->set->pop3_reuse_xuidl ? NULL :
			client->mail_set->pop3_uidl_format);
}

int pop3_policy_session_mailbox_synced(struct pop3_policy_session *session,
				       struct mailbox *box)
{
	uint32_t checked_epoch = 0;

	/* once the mailbox is listed there is a transaction, until QUIT */
	if (session->uidls == NULL || session->client->trans != NULL ||
	    session->client->quit_seen)
		return 0;
	if (session->fast != NULL) {
		session_open_fast_polls(session, box);
		checked_epoch = fast_polls_epoch(session->fast);
	}
	session->refused = session_uidls_open(session->uidls, box,
					      checked_epoch) < 0;
	if (session->refused)
		return -1;
	if (session->capa == NULL) {
		if (session->fast != NULL)
			session->gather = gather_ostream_init(session->client);
		if (session->set->rate != 0) {
			session->throttle =
				throttle_ostream_init(session->client,
						      session->set->rate);
		}
		session->capa = session_capa_init(session->client,
						  session->set);
	}
	return 0;
}

struct fast_polls *
pop3_policy_session_fast_polls(struct pop3_policy_session *session)
{
	return session->fast;
}

bool pop3_policy_session_has_uidls(const struct pop3_policy_session *session)
{
	return session->uidls != NULL && session_uidls_exist(session->uidls);
}

int pop3_policy_session_get_uidl(struct pop3_policy_session *session,
				 struct mail *mail, const char **uidl_r)
{
	return session->uidls == NULL ? 0 :
		session_uidls_get(session->uidls, mail, uidl_r);
}

/* RFC 1939, section 8: what a client gets in a session that does not end with
   QUIT, it may not have. */
static void session_finish_uidls(struct pop3_policy_session *session)
{
	const struct client *client = session->client;
	ARRAY_TYPE(seq_range) *downloaded =
		fetched_uids_get(&session->sent_whole);

	if (!client->quit_seen || !client->delete_success)
		array_clear(downloaded);
	session_uidls_finish(session->uidls, downloaded);
	session_retention_finish(session->client, &session->set->retention,
				 session->store, session->uidls,
				 array_count(downloaded) > 0, session->event);
	session_uidls_finish_lost(session->uidls);
}

void pop3_policy_session_mailbox_sync(struct pop3_policy_session *session)
{
	/* a client that was told goodbye may be back at once, and expects what
	   is left of its quota */
	if (!session->finished && session->client->quit_seen) {
		session_send_rest(session);
		session_finish(session);
	}
}

/* The client sees the end of the connection before what is done then, and may
   come again meanwhile. */
void session_hang_up(struct client *client)
{
	/* that of pop3_lock_session */
	timeout_remove(&client->to_session_dotlock_refresh);
	if (client->session_dotlock != NULL)
		file_dotlock_delete(&client->session_dotlock);
	(void)o_stream_flush(client->output);
	/* fails when the client is not at the other end of a socket */
	(void)shutdown(client->fd_out, SHUT_RDWR);
}

static uint32_t check_epoch(void *context)
{
	struct pop3_policy_session *session = context;

	return session_uidls_check_epoch(session->uidls);
}

static void session_learn(struct pop3_policy_session *session)
{
	if (session->fast == NULL ||
	    !fast_polls_learn_is_due(session->fast,
				     session_uidls_epoch(session->uidls)))
		return;
	session_hang_up(session->client);
	fast_polls_learn(session->fast, check_epoch, session);
}

/* The pop3 process does this as well, but later. What is read of the mailbox in
   between would be in the way of the message that is being sent: those of an mbox
   share a stream. */
static void end_command(struct client *client)
{
	if (client->cmd == NULL)
		return;
	i_stream_close(client->input);
	o_stream_close(client->output);
	client->cmd(client);
	i_assert(client->cmd == NULL);
}

static void session_client_destroy(struct client *client, const char *reason)
{
	struct pop3_policy_session *session = CLIENT_SESSION(client);
	struct pop3_policy_user *puser =
		MODULE_CONTEXT_REQUIRE(client->user, pop3_policy_user_module);
	void (*super_destroy)(struct client *, const char *) =
		session->module_ctx.super.destroy;
	unsigned int whole;

	end_command(client);
	/* as good as a session that broke off before it */
	if (session->unsent)
		client->quit_seen = FALSE;
	if (!session->finished)
		session_finish(session);
	whole = seq_range_count(fetched_uids_get(&session->sent_whole));
	if (session->fast != NULL)
		fast_polls_end_answers(session->fast);
	session_finish_uidls(session);
	session_learn(session);
	fast_polls_deinit(&session->fast);
	reply_ostream_deinit(&session->reply);
	capa_ostream_deinit(&session->capa);
	session_uidls_deinit(&session->uidls);
	session_quota_deinit(&session->quota);
	if (session->view != NULL)
		mail_search_args_unref(&session->view);
	/* the last one: its fields would be those of all that came after it */
	session_event_finished(session->event, client, session->set->device,
			       whole, session->sent_bytes, session->refused);
	policy_store_deinit(&session->store);
	pop3_policy_settings_free(&session->set);
	fetched_uids_deinit(&session->sent_whole);
	event_unref(&session->event);
	puser->session = NULL;
	/* the session's memory goes with the client */
	super_destroy(client, reason);
}

static void
session_warn(const struct pop3_quota_warning *warning, void *context)
{
	struct pop3_policy_session *session = context;

	session_event_warning(warning, session->client->user,
			      session->set->quota_warning,
			      session->event);
}

void pop3_policy_session_init(struct client *client,
			      const struct pop3_policy_settings *set,
			      struct policy_store *store,
			      struct session_uidls *uidls,
			      struct mail_search_args *view,
			      struct event *event)
{
	struct pop3_policy_session *session;
	struct pop3_policy_user *puser;

	session = p_new(client->pool, struct pop3_policy_session, 1);
	session->client = client;
	session->event = event;
	session->set = set;
	session->store = store;
	if (!pop3_quota_is_unlimited(&set->quota)) {
		session->quota = session_quota_init(&set->quota,
						    set->quota_throttle_rate,
						    store, set->ignore_errors,
						    event);
		session_quota_set_warn(session->quota, session_warn, session);
	}
	session->uidls = uidls;
	session->view = view;
	if (set->fast_polls)
		session->fast = fast_polls_init();
	fetched_uids_init(&session->sent_whole);

	session->module_ctx.super = client->v;
	client->v.destroy = session_client_destroy;
	MODULE_CONTEXT_SET(client, pop3_policy_client_module, session);

	puser = p_new(client->user->pool, struct pop3_policy_user, 1);
	puser->session = session;
	MODULE_CONTEXT_SET(client->user, pop3_policy_user_module, puser);
}

struct pop3_policy_session *pop3_policy_session_find(struct mail_user *user)
{
	struct pop3_policy_user *puser =
		MODULE_CONTEXT(user, pop3_policy_user_module);

	return puser == NULL ? NULL : puser->session;
}
