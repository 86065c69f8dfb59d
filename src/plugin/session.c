/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "module-context.h"
#include "ostream.h"
#include "mail-storage.h"
#include "compat-mail-user.h"
#include "pop3-symbols.h"
#include "pop3-policy-settings.h"
#include "store.h"
#include "fetch.h"
#include "reply-ostream.h"
#include "session-quota.h"
#include "top-command.h"
#include "session.h"

#define MISCONFIGURED_REPLY \
	"-ERR [SYS/PERM] POP3 policy of this account is misconfigured."
#define NO_STATE_REPLY \
	"-ERR [SYS/TEMP] POP3 policy state is not available, try again later."
#define REFUSE_REASON "Refused by POP3 policy"

#define CLIENT_SESSION(client) \
	MODULE_CONTEXT_REQUIRE(client, pop3_policy_client_module)
#define USER_SESSION(user) \
	MODULE_CONTEXT(user, pop3_policy_user_module)

struct pop3_policy_session {
	union pop3_module_context module_ctx;

	struct client *client;
	struct event *event;
	const struct pop3_policy_settings *set;
	struct policy_store *store;
	struct session_quota *quota;
	struct reply_ostream *reply;

	struct fetch fetch;
	/* UIDs of the messages that were sent whole by RETR */
	ARRAY_TYPE(seq_range) sent_whole;
	/* where the last message stood in client->msgnum_to_seq_map */
	uint32_t last_msgnum;
	/* where the line begins of the command that comes next, or runs */
	uoff_t command_offset;
	bool finished;
};

struct pop3_policy_user {
	union mail_user_module_context module_ctx;
	struct pop3_policy_session *session;
};

static MODULE_CONTEXT_DEFINE_INIT(pop3_policy_client_module,
				  &pop3_module_register);
static MODULE_CONTEXT_DEFINE_INIT(pop3_policy_user_module,
				  &mail_user_module_register);

static void session_refuse(struct client *client, const char *reply)
{
	struct reply_ostream *reply_stream;

	reply_stream = reply_ostream_push(client, NULL, NULL);
	reply_ostream_refuse_session(reply_stream, reply, REFUSE_REASON);
}

/* POP3 numbers are message indexes unless a POP3 order is stored; then they
   are looked up from where the last one was found, as clients go through the
   mailbox in order. */
static uint32_t session_msgnum(struct pop3_policy_session *session, uint32_t seq)
{
	const struct client *client = session->client;
	uint32_t i, count = client->msgnum_to_seq_map_count;

	for (i = 0; i < count; i++) {
		uint32_t msgnum = (session->last_msgnum + i) % count;

		if (client->msgnum_to_seq_map[msgnum] == seq) {
			session->last_msgnum = msgnum;
			return msgnum;
		}
	}
	return seq - 1;
}

/* What a reply may have at the most. */
static uoff_t max_wire_size(const struct client *client, uoff_t size)
{
	/* status line, missing end of the last line, final dot */
	const uoff_t overhead = 1024;

	if (client->set->pop3_fast_size_lookups) {
		/* the size may be that on disk: a line of LF becomes CR LF */
		return size * 2 + overhead;
	}
	/* a line of a dot alone gets a second one */
	return size + size / 3 + overhead;
}

static void refuse_message(struct pop3_policy_session *session,
			   const char *reply)
{
	/* The pop3 process takes a message that cannot be opened for a bad
	   command when it is asked for again, or downwards, and 20 of these end
	   the session: DELEs would be lost. */
	session->client->bad_counter = 0;
	reply_ostream_replace_next(session->reply,
				   t_strconcat("-ERR ", reply, NULL));
}

static bool
session_request(struct pop3_policy_session *session, struct mail *mail)
{
	struct client *client = session->client;
	uint32_t msgnum = session_msgnum(session, mail->seq);
	uoff_t size = client->message_sizes[msgnum];
	const char *reply;

	if (session_quota_request(session->quota, size,
				  max_wire_size(client, size), &reply))
		return TRUE;
	refuse_message(session, reply);
	return FALSE;
}

static void session_fetch_end(struct pop3_policy_session *session)
{
	uint32_t uid;

	if (fetch_end(&session->fetch, session->client, &uid))
		seq_range_array_add(&session->sent_whole, uid);
}

bool pop3_policy_session_allow_open(struct pop3_policy_session *session,
				    struct mail *mail,
				    enum session_command command)
{
	session_fetch_end(session);
	return command != SESSION_RETR || session_request(session, mail);
}

bool pop3_policy_session_allow_send(struct pop3_policy_session *session,
				    struct mail *mail,
				    enum session_command command,
				    struct istream *stream)
{
	bool is_download = command == SESSION_RETR;

	if (command == SESSION_TOP) {
		uoff_t lines = top_command_lines(session->client->input,
						 session->command_offset);

		is_download = lines > 0 && (session->set->quota_top_deny ||
			top_command_sends_whole(stream, lines));
		if (is_download && !session_request(session, mail))
			return FALSE;
	}
	if (is_download)
		session_quota_spend_message(session->quota);
	fetch_begin(&session->fetch, stream, mail->uid,
		    command == SESSION_RETR);
	return TRUE;
}

static void session_log(struct pop3_policy_session *session, const char *left)
{
	const struct pop3_quota_amount *total =
		session_quota_total(session->quota);
	uint64_t messages = total->n[POP3_QUOTA_MESSAGES];
	unsigned int whole = seq_range_count(&session->sent_whole);

	if (total->n[POP3_QUOTA_BYTES] == 0)
		return;
	e_info(session->event, "downloaded %"PRIu64" messages%s, %"PRIu64
	       " bytes; left: %s", messages, whole == messages ? "" :
	       t_strdup_printf(" (%u whole)", whole),
	       total->n[POP3_QUOTA_BYTES], left != NULL ? left : "unknown");
}

/* Settle before the client is told goodbye: it may be back at once. */
static void session_finish(struct pop3_policy_session *session)
{
	if (session->finished)
		return;
	session->finished = TRUE;
	session_fetch_end(session);
	session_log(session, session_quota_finish(session->quota));
}

static void session_sending(void *context, size_t size)
{
	struct pop3_policy_session *session = context;

	/* each command sends something before the next one is read */
	session->command_offset = session->client->input->v_offset;
	if (session->fetch.phase != FETCH_NONE) {
		if (fetch_sending(&session->fetch, session->client)) {
			session_quota_spend_bytes(session->quota, size);
			return;
		}
		session_fetch_end(session);
	}
	if (session->client->quit_seen) T_BEGIN {
		session_finish(session);
	} T_END;
}

static const struct reply_ostream_callbacks session_reply_callbacks = {
	.sending = session_sending
};

static void session_client_destroy(struct client *client, const char *reason)
{
	struct pop3_policy_session *session = CLIENT_SESSION(client);
	struct pop3_policy_user *puser = USER_SESSION(client->user);
	void (*super_destroy)(struct client *, const char *) =
		session->module_ctx.super.destroy;

	session_finish(session);
	puser->session = NULL;
	reply_ostream_detach(session->reply);
	session_quota_deinit(&session->quota);
	policy_store_deinit(&session->store);
	pop3_policy_settings_free(&session->set);
	array_free(&session->sent_whole);
	event_unref(&session->event);
	super_destroy(client, reason);
}

static void
session_create(struct client *client, const struct pop3_policy_settings *set,
	       struct policy_store *store, struct event *event)
{
	struct pop3_policy_session *session;
	struct pop3_policy_user *puser;

	session = p_new(client->pool, struct pop3_policy_session, 1);
	session->client = client;
	session->event = event;
	session->set = set;
	session->store = store;
	session->quota = session_quota_init(&set->quota, store,
					    set->ignore_errors, event);
	session->reply = reply_ostream_push(client, &session_reply_callbacks,
					    session);
	i_array_init(&session->sent_whole, 32);

	session->module_ctx.super = client->v;
	client->v.destroy = session_client_destroy;
	MODULE_CONTEXT_SET(client, pop3_policy_client_module, session);

	puser = p_new(client->user->pool, struct pop3_policy_user, 1);
	puser->session = session;
	MODULE_CONTEXT_SET(client->user, pop3_policy_user_module, puser);
}

/* Open the state, so that a session that cannot have it ends before the
   maildrop is listed. */
static int
session_open_state(struct client *client, const struct pop3_policy_settings *set,
		   struct event *event, struct policy_store **store_r,
		   const char **error_r)
{
	struct policy_state *state;
	const char *dir;

	if (pop3_policy_settings_state_dir(set, client->user, &dir,
					   error_r) < 0)
		return -1;
	*store_r = policy_store_init(dir,
		compat_mail_user_wants_fsync(client->user), event);
	if (policy_store_read(*store_r, &state, error_r) != POLICY_STORE_OK) {
		policy_store_deinit(store_r);
		return -1;
	}
	policy_state_deinit(&state);
	return 0;
}

static bool
session_try_begin(struct client *client, const struct pop3_policy_settings *set,
		  struct event *event)
{
	struct policy_store *store;
	const char *error;

	if (session_open_state(client, set, event, &store, &error) == 0) {
		session_create(client, set, store, event);
		return TRUE;
	}
	if (set->ignore_errors) {
		e_error(event, "session goes on without policy: %s", error);
	} else {
		e_error(event, "session is refused: %s", error);
		session_refuse(client, NO_STATE_REPLY);
	}
	return FALSE;
}

void pop3_policy_session_begin(struct client *client)
{
	const struct pop3_policy_settings *set;
	struct event *event;
	const char *error;

	event = event_create(client->user->event);
	event_set_append_log_prefix(event, "pop3_policy: ");
	if (pop3_policy_settings_get(client->user, &set, &error) < 0) {
		e_error(event, "%s", error);
		session_refuse(client, MISCONFIGURED_REPLY);
	} else if (pop3_quota_is_unlimited(&set->quota) ||
		   !session_try_begin(client, set, event)) {
		pop3_policy_settings_free(&set);
	} else {
		/* the session has taken both */
		return;
	}
	event_unref(&event);
}

struct pop3_policy_session *pop3_policy_session_find(struct mail_user *user)
{
	struct pop3_policy_user *puser = USER_SESSION(user);

	return puser == NULL ? NULL : puser->session;
}
