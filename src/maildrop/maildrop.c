/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "mail-storage-private.h"
#include "uidl.h"
#include "maildrop.h"

#include <time.h>

int maildrop_init(struct maildrop *drop_r, struct mailbox *box,
		  const struct uidl_rules *rules, struct event *event,
		  const char **error_r)
{
	struct mailbox_status status;
	bool uses[COMPAT_UIDL_KEY_COUNT];
	const char *error;

	if (compat_uidl_format_keys(rules->format, uses, &error) < 0) {
		*error_r = t_strdup_printf("pop3_uidl_format: %s", error);
		return -1;
	}
	mailbox_get_open_status(box, STATUS_UIDVALIDITY | STATUS_UIDNEXT |
				STATUS_MESSAGES, &status);
	i_zero(drop_r);
	drop_r->box = box;
	drop_r->event = event;
	drop_r->rules = *rules;
	memcpy(drop_r->uses, uses, sizeof(uses));
	drop_r->uidls_may_repeat = rules->reuse_xuidl ||
		(!uses[COMPAT_UIDL_UID] && !uses[COMPAT_UIDL_FILENAME]);
	drop_r->uids_are_uidls = uses[COMPAT_UIDL_UID] &&
		!uses[COMPAT_UIDL_UIDVALIDITY];
	drop_r->uidvalidity = status.uidvalidity;
	drop_r->uidnext = status.uidnext;
	drop_r->messages = status.messages;
	drop_r->listed = time(NULL);
	return 0;
}

const char *maildrop_format_name(const struct maildrop *drop)
{
	return pop3_guid_normalize(drop->rules.format);
}

unsigned int maildrop_count(const struct maildrop *drop, uint32_t uid1,
			    uint32_t uid2)
{
	uint32_t seq1, seq2;

	if (uid1 >= uid2)
		return 0;
	mailbox_get_seq_range(drop->box, uid1, uid2 - 1, &seq1, &seq2);
	return seq1 == 0 ? 0 : seq2 - seq1 + 1;
}

bool maildrop_set_uid(struct mail *mail, uint32_t uid)
{
	uint32_t seq1, seq2;

	mailbox_get_seq_range(mail->box, uid, uid, &seq1, &seq2);
	if (seq1 == 0)
		return FALSE;
	mail_set_seq(mail, seq1);
	return TRUE;
}

static bool storage_has_guids(const struct mailbox *box)
{
	/* mbox takes a hash of some headers for one */
	return strcmp(box->storage->name, "mbox") != 0;
}

int maildrop_guid(struct mail *mail, const char **guid_r)
{
	const char *guid;

	*guid_r = "";
	if (!storage_has_guids(mail->box))
		return 0;
	if (mail_get_special(mail, MAIL_FETCH_GUID, &guid) < 0)
		return -1;
	*guid_r = t_strdup(pop3_guid_normalize(guid));
	return 0;
}

static int
get_value(struct mail *mail, enum mail_fetch_field field, const char **value_r)
{
	if (mail_get_special(mail, field, value_r) < 0)
		return -1;
	return **value_r == '\0' ? 0 : 1;
}

static int
expand_format(const struct maildrop *drop, struct mail *mail,
	      const char **uidl_r)
{
	static const enum mail_fetch_field fields[COMPAT_UIDL_KEY_COUNT] = {
		[COMPAT_UIDL_MD5] = MAIL_FETCH_HEADER_MD5,
		[COMPAT_UIDL_FILENAME] = MAIL_FETCH_STORAGE_ID,
		[COMPAT_UIDL_GUID] = MAIL_FETCH_GUID,
	};
	const char *values[COMPAT_UIDL_KEY_COUNT], *error;
	string_t *uidl = t_str_new(64);
	unsigned int i;
	int ret;

	*uidl_r = "";
	i_zero(&values);
	values[COMPAT_UIDL_UIDVALIDITY] = dec2str(drop->uidvalidity);
	values[COMPAT_UIDL_UID] = dec2str(mail->uid);
	for (i = COMPAT_UIDL_MD5; i < COMPAT_UIDL_KEY_COUNT; i++) {
		if (drop->uses[i] &&
		    (ret = get_value(mail, fields[i], &values[i])) <= 0) {
			/* then Dovecot has none either */
			return ret;
		}
	}
	if (compat_uidl_format_expand(uidl, drop->rules.format, values,
				      &error) < 0) {
		e_error(drop->event, "pop3_uidl_format: %s", error);
		return 0;
	}
	*uidl_r = str_c(uidl);
	return 0;
}

int maildrop_own_uidl(struct maildrop *drop, struct mail *mail,
		      const char **uidl_r)
{
	bool own_only = drop->own_uidls_only;
	const char *uidl;
	int ret;

	drop->own_uidls_only = TRUE;
	ret = get_value(mail, MAIL_FETCH_UIDL_BACKEND, &uidl);
	drop->own_uidls_only = own_only;
	if (ret == 0 && drop->rules.reuse_xuidl)
		ret = mail_get_first_header(mail, "X-UIDL", &uidl);
	if (ret > 0)
		*uidl_r = t_strdup(uidl);
	else if (ret == 0)
		ret = expand_format(drop, mail, uidl_r);
	return ret < 0 ? -1 : 0;
}

int maildrop_delivered(struct mail *mail, time_t *delivered_r)
{
	time_t received, saved;
	int ret;

	if (mail_get_received_date(mail, &received) < 0)
		return -1;
	ret = mail_get_save_date(mail, &saved);
	if (ret < 0)
		return -1;
	*delivered_r = ret == 0 ? received : I_MAX(received, saved);
	return 0;
}

const char *maildrop_mail_error(const struct mail *mail)
{
	return t_strdup_printf("UID %u cannot be read: %s", mail->uid,
		mailbox_get_last_internal_error(mail->box, NULL));
}
