/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "imap-match.h"
#include "mail-namespace.h"
#include "mail-storage.h"
#include "mail-storage-settings.h"
#include "compat-autoexpunge.h"

#if DOVECOT_PREREQ(2, 4, 0)
#  define compat_ns_mailboxes parsed_mailboxes
#else
#  define compat_ns_mailboxes mailboxes
#endif

/* Not by the settings that the mailbox itself has: those are of one section, or
   of several that were merged, while autoexpunge goes through all sections,
   and takes their names for patterns of IMAP LIST. */
static bool
applies_to(const struct mailbox_settings *set, struct mail_namespace *ns,
	   const char *vname)
{
	char sep = mail_namespace_get_sep(ns);
	struct imap_match_glob *glob;
	const char *name;

	if (strpbrk(set->name, "*?") != NULL) {
		glob = imap_match_init(pool_datastack_create(),
				       t_strconcat(ns->prefix, set->name, NULL),
				       TRUE, sep);
		return imap_match(glob, vname) == IMAP_MATCH_YES;
	}
	if (set->name[0] == '\0' && ns->prefix_len > 0 &&
	    ns->prefix[ns->prefix_len - 1] == sep)
		name = t_strndup(ns->prefix, ns->prefix_len - 1);
	else
		name = t_strconcat(ns->prefix, set->name, NULL);
	/* INBOX is the only name whose case does not matter */
	return strcmp(name, vname) == 0 ||
		(strcmp(vname, "INBOX") == 0 && strcasecmp(name, vname) == 0);
}

/* 0 is no limit */
static unsigned int stricter(unsigned int n1, unsigned int n2)
{
	return n1 == 0 || (n2 != 0 && n2 < n1) ? n2 : n1;
}

void compat_mailbox_get_autoexpunge(struct mailbox *box,
				    unsigned int *seconds_r,
				    unsigned int *max_mails_r)
{
	struct mail_namespace *ns = mailbox_get_namespace(box);
	const struct mailbox_settings *set;
	unsigned int i, seconds = 0, max_mails = 0;

	if (array_is_created(&ns->set->compat_ns_mailboxes)) {
		i = array_count(&ns->set->compat_ns_mailboxes);
		while (i-- > 0) T_BEGIN {
			set = array_idx_elem(&ns->set->compat_ns_mailboxes, i);
			if (applies_to(set, ns, mailbox_get_vname(box))) {
				seconds = stricter(seconds, set->autoexpunge);
				max_mails = stricter(max_mails,
					set->autoexpunge_max_mails);
			}
		} T_END;
	}
	*seconds_r = seconds;
	*max_mails_r = max_mails;
}
