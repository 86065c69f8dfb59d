/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-cache.h"
#include "compat-mail-cache.h"

unsigned int
compat_mail_cache_register_text(struct mail_cache *cache, const char *name)
{
	struct mail_cache_field field = {
		.name = name,
		.type = MAIL_CACHE_FIELD_STRING,
		.decision = MAIL_CACHE_DECISION_FORCED |
			MAIL_CACHE_DECISION_YES,
	};

#if DOVECOT_PREREQ(2, 4, 0)
	mail_cache_register_fields(cache, &field, 1, NULL);
#else
	mail_cache_register_fields(cache, &field, 1);
#endif
	return field.idx;
}
