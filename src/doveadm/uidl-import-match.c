/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "mail-storage.h"
#include "uidl.h"
#include "maildrop-cmd.h"
#include "maildrop-iter.h"
#include "uidl-import.h"
#include "uidl-import-match.h"

/* What lines name messages by: jsonl by their GUID, other formats by the name
   of a maildir file, which is the GUID after a conversion to another storage.
   */
static int
get_name(struct uidl_import *import, struct mail *mail, const char **name_r,
	 const char **error_r)
{
	const char *filename = NULL;
	int ret = 1;

	if (!import->jsonl)
		ret = maildrop_cmd_get_filename(mail, &filename, error_r);
	if (ret <= 0)
		return ret;
	if (filename != NULL) {
		*name_r = pop3_guid_normalize(filename);
	} else if (maildrop_guid(mail, name_r) < 0) {
		*error_r = maildrop_mail_error(mail);
		return mail->expunged ? 0 : -1;
	}
	return 1;
}

static int
add_message(struct uidl_import *import, struct mail *mail, const char **error_r)
{
	struct pop3_found_message found = { .uid = mail->uid, .hash = "" };
	const char *uidl = "", *name = "";
	int ret;

	ret = get_name(import, mail, &name, error_r);
	if (ret > 0)
		ret = maildrop_cmd_get_told(import->cmd, mail, &uidl, error_r);
	if (ret < 0)
		return -1;
	/* one that is gone by now still has its number */
	found.guid = p_strdup(import->pool, name);
	uidl = p_strdup(import->pool, uidl);
	array_push_back(&import->found, &found);
	array_push_back(&import->told, &uidl);
	return 0;
}

static int add_messages(struct uidl_import *import, const char **error_r)
{
	unsigned int count = import->cmd->drop.messages;
	struct maildrop_iter *iter;
	struct mail *mail;
	int ret = 0;

	p_array_init(&import->found, import->pool, count + 1);
	p_array_init(&import->told, import->pool, count + 1);
	iter = maildrop_iter_init(import->cmd, MAILDROP_ORDER_POP3);
	while (ret == 0 && maildrop_iter_next(iter, &mail)) T_BEGIN {
		ret = add_message(import, mail, error_r);
	} T_END_PASS_STR_IF(ret < 0, error_r);
	if (maildrop_iter_deinit(&iter, error_r) < 0)
		ret = -1;
	return ret;
}

static void take_matches(struct uidl_import *import)
{
	const struct pop3_message *first = array_front(&import->list->messages);
	const struct pop3_found_message *found;
	uint32_t idx;

	array_foreach(&import->found, found) {
		if (found->known != NULL) {
			idx = array_foreach_idx(&import->found, found) + 1;
			array_idx_set(&import->named, found->known - first,
				      &idx);
		}
	}
}

/* Lines that name a message once more, after one that has named it. */
static void take_repeated_names(struct uidl_import *import)
{
	HASH_TABLE(const char *, void *) names;
	const struct pop3_message *message;
	const struct pop3_found_message *found;
	uint32_t idx, *named;

	hash_table_create(&names, default_pool, 0, str_hash, strcmp);
	array_foreach(&import->found, found) {
		if (found->known == NULL || *found->guid == '\0')
			continue;
		idx = array_foreach_idx(&import->found, found) + 1;
		hash_table_update(names, found->guid, POINTER_CAST(idx));
	}
	array_foreach(&import->list->messages, message) {
		named = array_idx_modifiable(&import->named,
			array_foreach_idx(&import->list->messages, message));
		if (*named == 0 && *message->guid != '\0') {
			*named = POINTER_CAST_TO(
				hash_table_lookup(names, message->guid),
				uint32_t);
		}
	}
	hash_table_destroy(&names);
}

static bool has_unmatched_hashes(const struct uidl_import *import)
{
	const struct pop3_message *message;

	array_foreach(&import->list->messages, message) {
		if (*message->hash != '\0' && *array_idx(&import->named,
				array_foreach_idx(&import->list->messages,
						  message)) == 0)
			return TRUE;
	}
	return FALSE;
}

static int
add_hash(struct uidl_import *import, struct mail *mail,
	 struct pop3_found_message *found, const char **error_r)
{
	const char *hash;

	if (!maildrop_set_uid(mail, found->uid))
		return 0;
	if (maildrop_fingerprint(mail, &hash) < 0) {
		*error_r = maildrop_mail_error(mail);
		return mail->expunged ? 0 : -1;
	}
	found->hash = p_strdup(import->pool, hash);
	return 0;
}

static int add_hashes(struct uidl_import *import, const char **error_r)
{
	struct mailbox_transaction_context *trans;
	struct pop3_found_message *found;
	struct mail *mail;
	int ret = 0;

	trans = mailbox_transaction_begin(import->cmd->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	array_foreach_modifiable(&import->found, found) {
		if (found->known != NULL)
			continue;
		T_BEGIN {
			ret = add_hash(import, mail, found, error_r);
		} T_END_PASS_STR_IF(ret < 0, error_r);
		if (ret < 0)
			break;
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	return ret;
}

static void match_numbers(struct uidl_import *import)
{
	const struct uidl_list_line *line;

	array_foreach(&import->list->lines, line) {
		if (line->msgno <= array_count(&import->found)) {
			array_idx_set(&import->named,
				array_foreach_idx(&import->list->lines, line),
				&line->msgno);
		}
	}
}

int uidl_import_match(struct uidl_import *import, const char **error_r)
{
	const uint32_t none = 0;

	if (add_messages(import, error_r) < 0)
		return -1;
	p_array_init(&import->named, import->pool,
		     array_count(&import->list->lines) + 1);
	if (array_is_empty(&import->list->lines))
		return 0;
	array_idx_set(&import->named, array_count(&import->list->lines) - 1,
		      &none);
	match_numbers(import);

	pop3_uidl_match_guids(&import->list->messages, &import->found, FALSE);
	take_matches(import);
	take_repeated_names(import);
	if (!has_unmatched_hashes(import))
		return 0;
	if (add_hashes(import, error_r) < 0)
		return -1;
	(void)pop3_uidl_match_hashes(&import->list->messages, &import->found,
				     FALSE);
	take_matches(import);
	return 0;
}
