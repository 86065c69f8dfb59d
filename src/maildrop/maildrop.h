#ifndef POP3_POLICY_MAILDROP_H
#define POP3_POLICY_MAILDROP_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "mail-storage.h"
#include "compat-uidl-format.h"

/* What Dovecot's own UIDLs are made of. */
struct uidl_rules {
	/* pop3_uidl_format */
	const char *format;
	/* pop3_reuse_xuidl: an X-UIDL header is the UIDL, if there is one */
	bool reuse_xuidl;
	/* pop3_uidl_duplicates = rename */
	bool rename_duplicates;
};

/* A user's INBOX as POP3 sees it, open and synced. */
struct maildrop {
	struct mailbox *box;
	struct event *event;
	struct uidl_rules rules;
	/* what the format uses */
	bool uses[COMPAT_UIDL_KEY_COUNT];
	/* two messages may have one UIDL by the format: neither the UID nor the
	   file name is part of it */
	bool uidls_may_repeat;
	/* messages of several UIDVALIDITYs may have one UIDL by the format */
	bool uids_are_uidls;

	uint32_t uidvalidity;
	uint32_t uidnext;
	uint32_t messages;
	/* when that was so */
	time_t listed;
	/* the epoch that these very messages were checked with before; 0 if it
	   is not certain that they are the same */
	uint32_t checked_epoch;
	/* while set, messages of this box tell Dovecot's own UIDLs, not the
	   stored ones */
	bool own_uidls_only;
	/* while set, no message of an mdbox is opened: that writes to its map */
	bool only_looks;
};

/* box must be synced, and outlive the maildrop; so must the format. Returns 0,
   or -1 and an error if the format is not one. */
int maildrop_init(struct maildrop *drop_r, struct mailbox *box,
		  const struct uidl_rules *rules, struct event *event,
		  const char **error_r);

/* By what name the epoch knows the format: a very long one is hashed. In the data
   stack, or the format itself. */
const char *maildrop_format_name(const struct maildrop *drop);
/* How many messages have a UID from uid1 on and below uid2. */
unsigned int maildrop_count(const struct maildrop *drop, uint32_t uid1,
			    uint32_t uid2);

/* As mail_set_uid(): FALSE if the mailbox has no such message. That one of Dovecot
   takes the message that is asked for next for expunged then, and nothing of it
   can be read from an mbox. */
bool maildrop_set_uid(struct mail *mail, uint32_t uid);

/* What tells whether two messages are the same one, and what they are called.
   Strings are in the data stack. Return 0, or -1 if the message cannot be read
   (mail->expunged tells whether it is gone; the error is that of the mailbox). */

/* The GUID by pop3_guid_normalize(); "" if the storage has no true GUIDs (mbox
   makes them from headers). */
int maildrop_guid(struct mail *mail, const char **guid_r);
/* A hash over the normalised header and the octets of the body: fields that
   servers add or change on the way are left out, so is white space at the ends
   of lines. 22 characters of base64. It reads the header. */
int maildrop_fingerprint(struct mail *mail, const char **hash_r);
/* The UIDL that Dovecot would tell without us: one that is stored with the
   message, an X-UIDL header if pop3_reuse_xuidl is on, else by the format. If
   none can be made *uidl_r is "". */
int maildrop_own_uidl(struct maildrop *drop, struct mail *mail,
		      const char **uidl_r);

/* When it came into this mailbox, or was sent to the user, whichever is later:
   an old message that was moved here is not old here. */
int maildrop_delivered(struct mail *mail, time_t *delivered_r);

/* The error of a message that could not be read, in the data stack. */
const char *maildrop_mail_error(const struct mail *mail);

#endif
