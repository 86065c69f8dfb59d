#ifndef POP3_POLICY_FAST_POLLS_H
#define POP3_POLICY_FAST_POLLS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "mail-storage.h"

/* What spares a session that finds nothing new most of its work. All answers are
   those that Dovecot would give; where that is not certain it is asked.

   Dovecot reads dovecot-uidlist to find out sizes, stored UIDLs and POP3 orders of
   a maildir. They were read there before: until the file changes, what was learnt
   of them holds. */
struct fast_polls;

typedef int fast_polls_get_special_func_t(struct mail *mail,
					  enum mail_fetch_field field,
					  const char **value_r);
typedef uint32_t fast_polls_check_epoch_func_t(void *context);

struct fast_polls *fast_polls_init(void);
void fast_polls_deinit(struct fast_polls **fast);

/* The mailbox, which must outlive this, was synced: find out what is known of it.
   uidl_format is NULL if UIDLs are not made of it alone, or are to be stored. */
void fast_polls_open(struct fast_polls *fast, struct mailbox *box,
		     const char *uidl_format);

/* The epoch (see struct policy_epoch) that the messages were found to be known in,
   if nothing has changed since; otherwise 0. */
uint32_t fast_polls_epoch(const struct fast_polls *fast);
/* Whether no message has a POP3 order: by it messages are sorted as they are. */
bool fast_polls_have_no_orders(const struct fast_polls *fast);
/* Whether fast_polls_get_uidl() makes UIDLs. */
bool fast_polls_make_uidls(const struct fast_polls *fast);
/* Answer MAIL_FETCH_UIDL_BACKEND as get_special, which is Dovecot's own, does. But
   if no UIDL is stored it is made here: the pop3 process would make the same. */
int fast_polls_get_uidl(struct fast_polls *fast, struct mail *mail,
			fast_polls_get_special_func_t *get_special,
			const char **uidl_r);
/* Whether UIDLs are made here of nothing but the UID, and no message has a stored
   one: the next one prints them then, without looking at messages. */
bool fast_polls_have_plain_uidls(const struct fast_polls *fast);
/* Append the UIDL of the message that has this UID. */
void fast_polls_print_uidl(const struct fast_polls *fast, string_t *dest,
			   uint32_t uid);
/* Whether fast_polls_get_size() may know sizes. */
bool fast_polls_know_sizes(const struct fast_polls *fast);
/* The virtual size of a message. FALSE if it is not known. */
bool fast_polls_get_size(struct fast_polls *fast, struct mail *mail,
			 uoff_t *size_r);

/* The client has got its last answer: from now on Dovecot is asked for sizes and
   stored UIDLs, which may have changed while the session ran. */
void fast_polls_end_answers(struct fast_polls *fast);

/* Whether there is something to learn for later sessions. epoch is that in which
   the messages are known now, 0 if that is unknown. */
bool fast_polls_learn_is_due(struct fast_polls *fast, uint32_t epoch);
/* Learn it, at the end of the session. check_epoch is called when the file has been
   read as it is now: it says in which epoch the messages are known by that. */
void fast_polls_learn(struct fast_polls *fast,
		      fast_polls_check_epoch_func_t *check_epoch,
		      void *context);

#endif
