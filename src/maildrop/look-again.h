#ifndef POP3_POLICY_LOOK_AGAIN_H
#define POP3_POLICY_LOOK_AGAIN_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct maildrop;
struct policy_epoch;

/* Whether there is mail, but none of what was known: its user has deleted all of
   it, or Dovecot does not show it. */
bool maildrop_known_are_gone(const struct maildrop *drop,
			     const struct policy_epoch *epoch);
/* Dovecot looks into the folders of a maildir only if their times have changed
   since it did so last. When its uidlist was lost, a delivery makes a new one
   that has no other message, and until something changes cur/ that may be all
   that sessions are shown. Before known messages are taken for gone, have it
   look, if there are more files than messages. Returns 1 if it has other messages
   now than the maildrop, which is to be initialized anew then, 0 if not, also in
   other formats, or -1 and an error. */
int maildrop_look_again(struct maildrop *drop, const char **error_r);

#endif
