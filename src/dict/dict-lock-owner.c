/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "hostpid.h"
#include "dict-lock-private.h"
#include "dict-lock-owner.h"

#include <time.h>

/* "VERSION TURN TIME HOST" */
#define KEY_OWNER DICT_KV_DOC"owner"

static bool owner_parse(const char *text, struct dict_lock_owner *owner_r)
{
	const char *const *words = t_strsplit(text, " ");

	return str_array_length(words) == 4 &&
		str_to_int64(words[0], &owner_r->version) == 0 &&
		str_to_uint(words[1], &owner_r->turn) == 0 &&
		owner_r->turn <= DICT_LOCK_MAX_TURN &&
		str_to_time(words[2], &owner_r->time) == 0 &&
		*(owner_r->host = words[3]) != '\0';
}

int dict_lock_owner_get(struct dict_lock *lock, int64_t version,
			struct dict_lock_owner *owner_r, const char **text_r,
			const char **error_r)
{
	int ret;

	*text_r = "";
	ret = dict_kv_get(lock->kv, KEY_OWNER, text_r, error_r);
	if (ret <= 0)
		return ret;
	return owner_parse(*text_r, owner_r) && owner_r->version == version ?
		1 : 0;
}

bool dict_lock_owner_is_us(struct dict_lock *lock)
{
	struct dict_lock_owner owner;
	const char *text, *error;

	return dict_lock_owner_get(lock, lock->version, &owner, &text,
				   &error) > 0 &&
		owner.turn == lock->turn &&
		strcmp(owner.host, my_hostname) == 0;
}

void dict_lock_owner_set(const struct dict_lock *lock,
			 struct dict_kv_transaction *trans, const char *host)
{
	dict_kv_set(trans, KEY_OWNER, t_strdup_printf("%"PRId64" %u %s %s",
		lock->version, lock->turn, dec2str(time(NULL)), host));
}

void dict_lock_owner_unset(struct dict_kv_transaction *trans)
{
	dict_kv_unset(trans, KEY_OWNER);
}
