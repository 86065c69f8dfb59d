#ifndef POP3_POLICY_JOURNAL_LOST_H
#define POP3_POLICY_JOURNAL_LOST_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "message.h"

struct mail;
struct maildrop;
struct policy_epoch;
struct policy_journal;

/* What the journal has lost: lines of messages that the state knows to be
   recorded or downloaded. These get new lines that say that they were
   downloaded now, so that none passes for one that was never downloaded, and
   none goes early. */

/* Whether lines may be lost that the state has counted. journal is what can be
   read of it, NULL if there is none. If none are, it is the journal that is
   right: the sets of the state may have some UIDs too many, see epoch.h. */
bool journal_has_lost_lines(const struct policy_epoch *epoch,
			    const struct policy_journal *journal);
/* Whether the line of a message (NULL if it has none) does not say of its
   downloads what the state knows. */
bool journal_line_lacks_downloads(const struct policy_epoch *epoch,
				  uint32_t uid,
				  const struct pop3_message *line);
/* Likewise, and lines are lost; or it has no line where it should have one.
   Returns 1, 0, or -1 and an error; mail->expunged tells whether the message is
   gone. */
int journal_line_is_lost(struct maildrop *drop, struct mail *mail,
			 const struct policy_epoch *epoch,
			 const struct policy_journal *journal,
			 const struct pop3_message *line,
			 const char **error_r);

/* What is said of a download whose time is lost: now, by the clock of the last
   look at the messages if that was ahead. */
time_t journal_lost_download_time(const struct policy_epoch *epoch);
/* Put into a line what the state knows of downloads, as of now. Returns FALSE if
   nothing was missing. Memory comes from the pool. */
bool journal_line_add_downloads(pool_t pool, const struct policy_epoch *epoch,
				struct pop3_message *line);
/* Likewise, and into the epoch what the line says. */
void journal_line_restore(pool_t pool, struct policy_epoch *epoch,
			  struct pop3_message *line);

#endif
